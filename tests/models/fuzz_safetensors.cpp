#include <cstddef>
#include <cstdint>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "framework/config/error.h"
#include "models/safetensors.h"

/// Whatever the bytes, reading them gives tensors or an Error and nothing else.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const int memory = memfd_create("safetensors", MFD_CLOEXEC);
  if (memory < 0 || write(memory, data, size) != static_cast<ssize_t>(size)) __builtin_trap();
  try {
    etude::models::read_safetensors("/proc/self/fd/" + std::to_string(memory));
  } catch (const etude::Error&) {
  }
  close(memory);
  return 0;
}
