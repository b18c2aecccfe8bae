#include "data/pack/output_folder.h"

#include <algorithm>

#include <fmt/format.h>

#include "data/shard/manifest.h"
#include "framework/config/error.h"

namespace etude::data {
namespace {

namespace fs = std::filesystem;

bool lies_within(const fs::path& path, const fs::path& folder) {
  const fs::path inner = fs::weakly_canonical(path), outer = fs::weakly_canonical(folder);
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

/// The first thing that is no part of a pack, or an empty path.
fs::path stranger_in(const fs::path& folder) {
  std::vector<fs::path> strangers;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const fs::path name = entry.path().filename();
    const bool ours = name == kManifestName || name.extension() == ".h5" || name.extension() == ".pt";
    if (!ours || !entry.is_regular_file()) strangers.push_back(name);
  }
  return strangers.empty() ? fs::path() : *std::ranges::min_element(strangers);
}

}  // namespace

bool may_replace(const fs::path& folder, bool overwrite, const std::vector<fs::path>& inputs) {
  if (!fs::exists(folder)) return false;
  if (!fs::is_directory(folder)) {
    throw UsageError(fmt::format("{}: is a file; --output must name a new folder", folder.string()));
  }
  if (fs::is_empty(folder)) return true;
  if (!is_pack(folder)) {
    throw UsageError(fmt::format(
        "{}: is there and is no pack; choose another --output (--overwrite replaces only packs)", folder.string()));
  }
  if (!overwrite) {
    throw UsageError(fmt::format("{}: holds a pack already; --overwrite replaces it", folder.string()));
  }
  for (const fs::path& input : inputs) {
    if (lies_within(input, folder)) {
      throw UsageError(
          fmt::format("{}: holds the input {}, which --overwrite would remove", folder.string(), input.string()));
    }
  }
  if (const fs::path stranger = stranger_in(folder); !stranger.empty()) {
    throw UsageError(fmt::format("{}: holds '{}' beside a pack, which --overwrite would remove; move it away first",
                                 folder.string(), stranger.string()));
  }
  return true;
}

}  // namespace etude::data
