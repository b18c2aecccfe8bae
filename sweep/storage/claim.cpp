#include "sweep/storage/claim.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "framework/config/error.h"

namespace etude::sweep {

std::string this_process() { return fmt::format("{}, process {}", files::host_name(), getpid()); }

std::filesystem::path claim_file(const std::filesystem::path& storage, long long study) {
  return files::parent(storage) / fmt::format(".{}.study-{}.lock", storage.filename().string(), study);
}

FileClaim::FileClaim(const std::filesystem::path& file, const std::string& what)
    : descriptor_(file, O_RDWR | O_CREAT, 0644) {
  if (flock(descriptor_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) files::fail("lock", file);
    std::array<char, 512> holder{};
    const ssize_t size = pread(descriptor_.get(), holder.data(), holder.size() - 1, 0);
    throw UsageError(fmt::format("{} is being run already, by {}: one controller writes a study; stop that one first",
                                 what, size > 0 ? holder.data() : "another process"));
  }
  // Only told to people; a disk that is full does not make the lock any weaker.
  const std::string who = this_process();
  if (ftruncate(descriptor_.get(), 0) == 0) {
    [[maybe_unused]] const ssize_t ignored = pwrite(descriptor_.get(), who.data(), who.size(), 0);
  }
}

}  // namespace etude::sweep
