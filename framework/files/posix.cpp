#include "framework/files/posix.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <random>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "framework/config/error.h"
#include "framework/files/files.h"

namespace etude::files {
namespace {

const char* way_out(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return " (free some space, or choose another disk)";
    case EFBIG:
      return " (the shell's or the file system's limit on file sizes; see 'ulimit -f')";
    case EACCES:
    case EPERM:
    case EROFS:
      return " (choose a folder that you may write to, or change its permissions)";
    default:
      return "";
  }
}

}  // namespace

void fail(const std::string& what, const std::filesystem::path& path) {
  const int error = errno;
  const bool reading = what == "read";
  throw Error(
      fmt::format("cannot {} '{}': {}{}", what, path.string(), std::strerror(error), reading ? "" : way_out(error)));
}

Descriptor::Descriptor(const std::filesystem::path& path, int flags, unsigned mode, const std::filesystem::path& shown)
    : shown_(shown.empty() ? path : shown) {
  do {
    descriptor_ = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (descriptor_ < 0 && errno == EINTR);
  if (descriptor_ < 0) fail((flags & O_ACCMODE) == O_RDONLY ? "read" : "write", shown_);
}

Descriptor::~Descriptor() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void Descriptor::close() {
  const int descriptor = descriptor_;
  descriptor_ = -1;
  // After EINTR Linux has closed it all the same.
  if (::close(descriptor) != 0 && errno != EINTR) fail("write", shown_);
}

std::filesystem::path hidden_sibling(const std::filesystem::path& path, const std::string& ending) {
  std::random_device random;
  const std::uint64_t number = (std::uint64_t{random()} << 32) | random();
  return parent(path) / fmt::format(".{}.{:016x}.{}", path.filename().string(), number, ending);
}

std::filesystem::path parent(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : ".";
}

std::string read(const std::filesystem::path& file) {
  const Descriptor descriptor(file, O_RDONLY);
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) fail("read", file);
  // The size is a first guess only: files in /proc say 0, and a file may be growing.
  std::string content(static_cast<std::size_t>(status.st_size) + 1, '\0');
  std::size_t size = 0;
  while (true) {
    if (size == content.size()) content.resize(2 * content.size());
    const ssize_t got = ::read(descriptor.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read", file);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  content.resize(size);
  return content;
}

void sync(const std::filesystem::path& path) {
  const Descriptor descriptor(path, O_RDONLY);
  // Some network file systems cannot sync a folder, and say so with EINVAL.
  if (::fsync(descriptor.get()) != 0 && !(errno == EINVAL && std::filesystem::is_directory(path))) {
    fail("flush to disk", path);
  }
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "?";
}

}  // namespace etude::files
