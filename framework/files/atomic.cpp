#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "framework/config/error.h"
#include "framework/files/files.h"
#include "framework/files/posix.h"

namespace etude::files {
namespace {

namespace fs = std::filesystem;

/// Removes a temporary file or folder unless it has found its place.
class Temporary {
 public:
  explicit Temporary(fs::path path) : path_(std::move(path)) {}
  ~Temporary() {
    std::error_code ignored;
    if (!kept_) fs::remove_all(path_, ignored);
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  const fs::path& path() const { return path_; }
  void keep() { kept_ = true; }

 private:
  fs::path path_;
  bool kept_ = false;
};

void write_all(Descriptor& descriptor, std::string_view content, const fs::path& file) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor.get(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write", file);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
}

void sync_tree(const fs::path& folder) {
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_symlink() && (entry.is_regular_file() || entry.is_directory())) sync(entry.path());
  }
  sync(folder);
}

/// A folder under a hidden name that is locked as long as its maker lives, so that what a killed process has left can
/// be told from what another is writing now.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const fs::path& final_name) {
    while (!lock_) {
      made_.emplace(hidden_sibling(final_name, kEnding));
      if (::mkdir(made_->path().c_str(), 0777) != 0) {
        made_->keep();
        fail("make the folder", final_name);
      }
      lock_.emplace(made_->path(), O_RDONLY | O_DIRECTORY);
      struct stat status {};
      const bool taken = ::flock(lock_->get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
      const bool swept = ::fstat(lock_->get(), &status) == 0 && status.st_nlink == 0;
      if (taken || swept) lock_.reset();  // by someone who took it for abandoned before it was locked
    }
  }
  const fs::path& path() const { return made_->path(); }
  void keep() { made_->keep(); }

  /// Removes what killed processes have left of this folder. Where locks are not supported, nothing is removed.
  static void sweep(const fs::path& final_name) {
    const std::string beginning = fmt::format(".{}.", final_name.filename().string());
    const std::string ending = fmt::format(".{}", kEnding);
    constexpr std::size_t kDigits = 16;
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(parent(final_name), ignored)) {
      const std::string name = entry.path().filename().string();
      const bool is_ours = name.starts_with(beginning) && name.ends_with(ending) &&
                           name.size() == beginning.size() + kDigits + ending.size();
      if (!is_ours || !entry.is_directory(ignored)) continue;
      const int descriptor = ::open(entry.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      if (descriptor < 0) continue;
      if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) fs::remove_all(entry.path(), ignored);
      ::close(descriptor);
    }
  }

 private:
  static constexpr const char* kEnding = "partial";
  std::optional<Temporary> made_;
  std::optional<Descriptor> lock_;
};

int rename_with(const fs::path& from, const fs::path& to, unsigned flags) {
  return ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags);
}

bool is_unsupported(int error) { return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP; }

/// Gives `temporary` the name `folder`, which nobody may have.
void appear(const fs::path& temporary, const fs::path& folder) {
  if (rename_with(temporary, folder, RENAME_NOREPLACE) == 0) return;
  if (is_unsupported(errno)) {
    if (fs::exists(fs::symlink_status(folder))) {
      errno = EEXIST;
    } else if (::rename(temporary.c_str(), folder.c_str()) == 0) {
      return;
    }
  }
  fail("make the folder", folder);
}

/// Lets the two folders trade names, so that `folder` is there at every moment; the old one is then removed.
void replace_with(TemporaryFolder& temporary, const fs::path& folder) {
  if (rename_with(temporary.path(), folder, RENAME_EXCHANGE) == 0) {
    sync(parent(folder));
    return;  // the old one goes with the temporary
  }
  if (!is_unsupported(errno)) fail("replace the folder", folder);
  // A file system that cannot exchange: the old one steps aside, and comes back if the new one cannot take its place.
  Temporary aside(hidden_sibling(folder, "replaced"));
  if (::rename(folder.c_str(), aside.path().c_str()) != 0) fail("replace the folder", folder);
  if (::rename(temporary.path().c_str(), folder.c_str()) != 0) {
    const int error = errno;
    aside.keep();
    ::rename(aside.path().c_str(), folder.c_str());
    errno = error;
    fail("replace the folder", folder);
  }
  temporary.keep();
  sync(parent(folder));
}

}  // namespace

namespace {

void write_atomically(const fs::path& file, std::string_view content, mode_t mode) {
  Temporary temporary(hidden_sibling(file, "partial"));
  Descriptor descriptor(temporary.path(), O_WRONLY | O_CREAT | O_EXCL, mode, file);
  write_all(descriptor, content, file);
  if (::fsync(descriptor.get()) != 0) fail("write", file);
  descriptor.close();
  if (::rename(temporary.path().c_str(), file.c_str()) != 0) fail("write", file);
  temporary.keep();
  sync(parent(file));
}

}  // namespace

void write_atomically(const fs::path& file, std::string_view content) { write_atomically(file, content, 0666); }

void write_secret(const fs::path& file, std::string_view content) { write_atomically(file, content, 0600); }

void write_folder_atomically(const fs::path& name, bool replace, const std::function<void(const fs::path&)>& fill) {
  // "runs/a/" would otherwise have no file name.
  const fs::path folder = name.has_filename() ? name : name.parent_path();
  const bool exists = fs::exists(fs::symlink_status(folder));
  if (exists && !replace) {
    throw Error(fmt::format("'{}' exists already: remove it, or choose another name", folder.string()));
  }
  std::error_code error;
  fs::create_directories(parent(folder), error);
  if (error) throw Error(fmt::format("cannot make the folder '{}': {}", parent(folder).string(), error.message()));

  TemporaryFolder::sweep(folder);
  TemporaryFolder temporary(folder);
  fill(temporary.path());
  sync_tree(temporary.path());
  if (exists) {
    replace_with(temporary, folder);
    return;
  }
  appear(temporary.path(), folder);
  temporary.keep();
  sync(parent(folder));
}

}  // namespace etude::files
