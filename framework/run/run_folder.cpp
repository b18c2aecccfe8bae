#include "framework/run/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::run {

namespace fs = std::filesystem;

bool RunFolder::exists() const { return fs::exists(config()); }

void RunFolder::create() const {
  std::error_code error;
  fs::create_directories(evaluations(), error);
  if (!error) fs::create_directories(checkpoints(), error);
  if (error) throw Error(fmt::format("{}: cannot make the run's folder: {}", root_.string(), error.message()));
}

void RunFolder::clear() const {
  for (const fs::path& path : {checkpoints(), evaluations(), faults(), profile(), metrics(), log(), evaluation(),
                               environment(), config()}) {
    fs::remove_all(path);
  }
}

RunLock::RunLock(const RunFolder& folder) {
  const std::string file = (folder.root() / ".lock").string();
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw Error(fmt::format("{}: cannot be opened: {}", file, std::strerror(errno)));
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    std::array<char, 128> holder{};
    const auto size = ::pread(descriptor_, holder.data(), holder.size() - 1, 0);
    ::close(descriptor_);
    throw UsageError(fmt::format("{}: another run is writing here ({}). Wait for it, stop it, or give this one another "
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

RunFolder open_run(const fs::path& root) {
  RunFolder folder(root);
  if (!fs::is_directory(root)) throw UsageError(fmt::format("{}: no such run folder", root.string()));
  if (!folder.exists()) {
    throw UsageError(fmt::format("{}: is no run folder (it has no config.yaml); 'etude train' makes one", root.string()));
  }
  return folder;
}

}  // namespace etude::run
