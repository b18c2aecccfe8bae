#include "sweep/storage/journal_file.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "framework/config/error.h"
#include "framework/files/posix.h"

namespace etude::sweep {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kGrace{30};  ///< as long as Optuna waits

class Lock {
 public:
  explicit Lock(const std::filesystem::path& file) : lock_(file.string() + ".lock") {
    const std::string target = std::filesystem::absolute(file).string();
    std::chrono::milliseconds pause{1};
    std::optional<timespec> changed;
    Clock::time_point since = Clock::now();
    while (symlink(target.c_str(), lock_.c_str()) != 0) {
      if (errno != EEXIST) files::fail("lock", file);
      struct stat about {};  // of the journal where it is a link, so that whoever writes is seen to live
      if (stat(lock_.c_str(), &about) == 0 || lstat(lock_.c_str(), &about) == 0) {
        const bool same =
            changed && changed->tv_sec == about.st_mtim.tv_sec && changed->tv_nsec == about.st_mtim.tv_nsec;
        if (!same) {
          changed = about.st_mtim;
          since = Clock::now();
        } else if (Clock::now() - since > kGrace) {
          remove();
          continue;
        }
      }
      std::this_thread::sleep_for(pause);
      pause = std::min(2 * pause, std::chrono::milliseconds(50));
    }
  }
  ~Lock() { remove(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  /// By another name first, so that of two who think it stale one alone succeeds.
  void remove() const {
    const std::filesystem::path other = files::hidden_sibling(lock_, "rename");
    if (rename(lock_.c_str(), other.c_str()) == 0) unlink(other.c_str());
  }

  std::filesystem::path lock_;
};

std::uint64_t size_of(const files::Descriptor& descriptor, const std::filesystem::path& file) {
  struct stat about {};
  if (fstat(descriptor.get(), &about) != 0) files::fail("look at", file);
  return static_cast<std::uint64_t>(about.st_size);
}

/// Where the last whole line ends.
std::uint64_t end_of_lines(const files::Descriptor& descriptor, std::uint64_t size, const std::filesystem::path& file) {
  std::string block(64 << 10, '\0');
  while (size > 0) {
    const std::uint64_t length = std::min<std::uint64_t>(size, block.size());
    const ssize_t got = pread(descriptor.get(), block.data(), length, static_cast<off_t>(size - length));
    if (got != static_cast<ssize_t>(length)) files::fail("read", file);
    const std::size_t newline = std::string_view(block).substr(0, length).rfind('\n');
    if (newline != std::string_view::npos) return size - length + newline + 1;
    size -= length;
  }
  return 0;
}

}  // namespace

void JournalFile::read_on(const std::function<void(std::string_view line, std::int64_t number)>& take) {
  const files::Descriptor descriptor(file_, O_RDONLY);
  if (size_of(descriptor, file_) < offset_) {
    throw Error(fmt::format("{}: shorter than it was: somebody cut or replaced it; start again", file_.string()));
  }
  std::string block(1 << 20, '\0');
  std::string begun;  // a line of which the end is still to come
  for (std::uint64_t at = offset_;;) {
    const ssize_t got = pread(descriptor.get(), block.data(), block.size(), static_cast<off_t>(at));
    if (got < 0) files::fail("read", file_);
    if (got == 0) return;
    at += static_cast<std::uint64_t>(got);
    std::string_view rest(block.data(), static_cast<std::size_t>(got));
    for (std::size_t end; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1)) {
      std::string_view line = rest.substr(0, end);
      if (!begun.empty()) line = begun.append(line);
      take(line, lines_ + 1);
      ++lines_;
      offset_ += line.size() + 1;
      begun.clear();
    }
    begun += rest;
  }
}

bool JournalFile::has_grown() const {
  struct stat about {};
  if (stat(file_.c_str(), &about) != 0) files::fail("look at", file_);
  return static_cast<std::uint64_t>(about.st_size) != offset_;
}

void JournalFile::append(const std::function<std::string()>& make) {
  const Lock lock(file_);
  const files::Descriptor descriptor(file_, O_RDWR);
  const std::uint64_t size = size_of(descriptor, file_), whole = end_of_lines(descriptor, size, file_);
  if (whole < size && ftruncate(descriptor.get(), static_cast<off_t>(whole)) != 0) files::fail("repair", file_);
  const std::string text = make();
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t put =
        pwrite(descriptor.get(), text.data() + written, text.size() - written, static_cast<off_t>(whole + written));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) break;
    written += static_cast<std::size_t>(put);
  }
  if (written < text.size() || fsync(descriptor.get()) != 0) {
    const int reason = errno;
    [[maybe_unused]] const int ignored = ftruncate(descriptor.get(), static_cast<off_t>(whole));
    errno = reason;
    files::fail("append to", file_);
  }
}

}  // namespace etude::sweep
