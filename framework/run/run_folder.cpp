#include "framework/run/run_folder.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "framework/config/error.h"

namespace etude::run {

namespace fs = std::filesystem;

namespace {

std::string lock_file(const RunFolder& folder) { return (folder.root() / ".lock").string(); }

/// Who only looks whether a folder is in use has its lock for less than this.
constexpr auto kALook = std::chrono::milliseconds(20);
constexpr int kLooks = 10;

bool lock_exclusively(int descriptor) {
  for (int tries = 1; ::flock(descriptor, LOCK_EX | LOCK_NB) != 0; ++tries) {
    if (tries == kLooks) return false;
    std::this_thread::sleep_for(kALook);
  }
  return true;
}

}  // namespace

bool RunFolder::exists() const { return fs::exists(config()); }

void RunFolder::create() const {
  std::error_code error;
  fs::create_directories(evaluations(), error);
  if (!error) fs::create_directories(checkpoints(), error);
  if (error) throw Error(fmt::format("{}: cannot make the run's folder: {}", root_.string(), error.message()));
}

void RunFolder::clear() const {
  for (const fs::path& path : {checkpoints(), evaluations(), faults(), profile(), tensorboard(), track(), metrics(),
                               log(), evaluation(), floor(), music(), generated(), environment(), config()}) {
    fs::remove_all(path);
  }
}

RunLock::RunLock(const RunFolder& folder) {
  const std::string file = lock_file(folder);
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw Error(fmt::format("{}: cannot be opened: {}", file, std::strerror(errno)));
  if (!lock_exclusively(descriptor_)) {
    std::array<char, 128> holder{};
    const auto size = ::pread(descriptor_, holder.data(), holder.size() - 1, 0);
    ::close(descriptor_);
    throw UsageError(
        fmt::format("{}: another run is writing here ({}). Wait for it, stop it, or give this one another "
                    "folder with --set run=…",
                    folder.root().string(), size > 0 ? holder.data() : "unknown process"));
  }
  const std::string me = fmt::format("process {}", ::getpid());
  // Only for the message above, so a failure here is none.
  if (::ftruncate(descriptor_, 0) == 0) (void)!::pwrite(descriptor_, me.data(), me.size(), 0);
}

RunLock::~RunLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::optional<bool> is_written(const RunFolder& folder) {
  const int descriptor = ::open(lock_file(folder).c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return std::nullopt;
  const bool free = ::flock(descriptor, LOCK_SH | LOCK_NB) == 0;
  const int reason = errno;
  ::close(descriptor);
  if (free) return false;
  return reason == EWOULDBLOCK ? std::optional(true) : std::nullopt;
}

RunFolder open_run(const fs::path& root) {
  RunFolder folder(root);
  if (!fs::is_directory(root)) throw UsageError(fmt::format("{}: no such run folder", root.string()));
  if (!folder.exists()) {
    throw UsageError(
        fmt::format("{}: is no run folder (it has no config.yaml); 'etude train' makes one", root.string()));
  }
  return folder;
}

}  // namespace etude::run
