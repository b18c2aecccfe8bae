#include "data/shard/mapped_file.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "framework/config/error.h"

namespace etude::data {

MappedFile::MappedFile(const std::filesystem::path& file) {
  const auto fail = [&](int code) {
    throw Error(fmt::format("{} cannot be read: {}", file.string(), std::strerror(code)));
  };
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail(errno);
  struct stat status {};
  if (fstat(descriptor, &status) != 0) {
    const int code = errno;
    close(descriptor);
    fail(code);
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  // An empty file cannot be mapped, and needs no mapping.
  void* memory = size > 0 ? mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0) : nullptr;
  const int code = errno;
  close(descriptor);
  if (memory == MAP_FAILED) fail(code);
  bytes_ = {static_cast<const std::byte*>(memory), size};
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace etude::data
