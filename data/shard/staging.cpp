#include "data/shard/staging.h"

#include <cerrno>
#include <chrono>
#include <exception>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "data/shard/manifest.h"
#include "framework/config/error.h"
#include "framework/files/files.h"
#include "framework/files/posix.h"
#include "framework/log/format.h"

namespace etude::data {
namespace {

namespace fs = std::filesystem;

/// Held while this process looks at or changes what is staged in a folder. The folder itself is locked: no lock file is
/// left behind, and who may only read there can still wait for who is writing.
class Turn {
 public:
  Turn(const fs::path& stage, const std::function<void(const std::string&)>& tell)
      : folder_(stage, O_RDONLY | O_DIRECTORY) {
    if (::flock(folder_.get(), LOCK_EX | LOCK_NB) == 0) return;
    if (errno == EWOULDBLOCK) tell(fmt::format("waiting for another process that stages a pack in {}", stage.string()));
    while (::flock(folder_.get(), LOCK_EX) != 0) {
      if (errno != EINTR) files::fail("lock the folder", stage);
    }
  }

 private:
  files::Descriptor folder_;  // closing it unlocks it
};

/// What keeps a copy from being used; empty when nothing does.
std::string damage(const fs::path& folder, const Pack& original) {
  try {
    const Pack copy = Pack::open(folder);
    copy.verify();
    if (staged_folder(copy, "") == staged_folder(original, "")) return "";
    return fmt::format("{}: is another pack than its name says", folder.string());
  } catch (const std::exception& error) {
    return error.what();
  }
}

/// The names of the files in its folder that are the pack.
std::vector<std::string> files_of(const Pack& pack) {
  const Manifest manifest = read_manifest(pack.folder() / kManifestName);
  std::vector<std::string> names{kManifestName};
  for (const Split which : kSplits) names.push_back(manifest.split(which).file);
  return names;
}

void copy_file(const fs::path& from, const fs::path& to, const fs::path& shown) {
  const files::Descriptor source(from, O_RDONLY);
  files::Descriptor target(to, O_WRONLY | O_CREAT | O_EXCL, 0666, shown);
  std::vector<char> block(std::size_t{4} << 20);
  while (true) {
    const ssize_t got = ::read(source.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) files::fail("read", from);
    if (got == 0) break;
    for (ssize_t done = 0; done < got;) {
      const ssize_t written = ::write(target.get(), block.data() + done, static_cast<std::size_t>(got - done));
      if (written < 0 && errno != EINTR) files::fail("write", shown);
      if (written > 0) done += written;
    }
  }
  target.close();
}

void check_room(const fs::path& stage, std::uint64_t bytes, const Pack& pack) {
  std::error_code error;
  const fs::space_info space = fs::space(stage, error);
  if (error || space.available >= bytes) return;  // where it cannot be asked, writing will tell
  throw Error(fmt::format("{}: {} are free, and a copy of {} takes {} (free some space, or choose another disk)",
                          stage.string(), log::bytes(space.available), pack.folder().string(), log::bytes(bytes)));
}

void copy(const Pack& pack, const std::vector<std::string>& names, const fs::path& folder) {
  files::write_folder_atomically(folder, false, [&](const fs::path& temporary) {
    for (const std::string& name : names) copy_file(pack.folder() / name, temporary / name, folder / name);
    if (damage(temporary, pack).empty()) return;
    throw Error(
        fmt::format("the copy of {} that was made in {} is damaged: 'etude inspect {} --verify' tells whether "
                    "the pack itself is",
                    pack.folder().string(), folder.parent_path().string(), pack.folder().string()));
  });
}

}  // namespace

fs::path staged_folder(const Pack& pack, const fs::path& stage) {
  constexpr std::size_t kDigits = 16;
  return stage /
         fmt::format("pack-{}-{}", pack.hash(), files::hash_file(pack.folder() / kManifestName).substr(0, kDigits));
}

StagedPack stage_pack(const Pack& pack, const fs::path& stage, const std::function<void(const std::string&)>& tell) {
  std::error_code error;
  fs::create_directories(stage, error);
  if (error) throw Error(fmt::format("cannot make the folder '{}': {}", stage.string(), error.message()));

  StagedPack staged;
  staged.folder = staged_folder(pack, stage);
  const std::vector<std::string> names = files_of(pack);
  for (const std::string& name : names) staged.bytes += fs::file_size(pack.folder() / name);
  const Turn turn(stage, tell);
  const auto begin = std::chrono::steady_clock::now();
  if (fs::exists(fs::symlink_status(staged.folder))) {
    staged.damage = damage(staged.folder, pack);
    staged.copied = !staged.damage.empty();
    // First, since the disk may have room for one copy alone.
    if (staged.copied && fs::remove_all(staged.folder, error) == static_cast<std::uintmax_t>(-1)) {
      throw Error(fmt::format("{}. It cannot be removed: {}", staged.damage, error.message()));
    }
  } else {
    staged.copied = true;
  }
  if (staged.copied) {
    check_room(stage, staged.bytes, pack);
    tell(fmt::format("copying {} ({}) to {}", pack.folder().string(), log::bytes(staged.bytes), stage.string()));
    copy(pack, names, staged.folder);
  }
  staged.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return staged;
}

}  // namespace etude::data
