#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "data/shard/pack.h"

namespace etude::data {

/// A whole copy of a pack, and what it took to have it.
struct StagedPack {
  std::filesystem::path folder;
  std::uint64_t bytes = 0;
  bool copied = false;  ///< now; otherwise an earlier copy was found whole
  double seconds = 0;   ///< for copying and verifying
  std::string damage;   ///< what was wrong with an earlier copy that had to go; mostly empty
};

/// Where the copy of a pack lies below `stage`. The name holds the pack's hash, and one of its pack.json too, since
/// packs of the same tokens may differ in what they say of composers and labels.
std::filesystem::path staged_folder(const Pack& pack, const std::filesystem::path& stage);

/// Sees to it that staged_folder() is there and whole: every byte of it is read and compared with the checksums, and it
/// is copied where that fails. Processes of this machine that stage into one folder take turns, and the second finds
/// what the first has made. `tell` hears what takes long before it begins. Throws Error when there is no room, or no
/// permission, or the pack itself is damaged; then nothing has appeared.
StagedPack stage_pack(const Pack& pack, const std::filesystem::path& stage,
                      const std::function<void(const std::string&)>& tell);

}  // namespace etude::data
