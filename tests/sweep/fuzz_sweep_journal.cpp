#include <cstddef>
#include <cstdint>
#include <string_view>

#include "framework/config/error.h"
#include "sweep/storage/journal.h"

/// Whatever the bytes, as lines of a journal and as a distribution they are taken or refused with an Error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace etude::sweep;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const Distribution distribution = Distribution::from_json(std::string(text));
    if (distribution != Distribution::from_json(distribution.to_json())) __builtin_trap();
  } catch (const etude::Error&) {
  }
  Journal journal;
  try {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      journal.apply(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  } catch (const etude::Error&) {
  }
  return 0;
}
