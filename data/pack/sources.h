#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/shard/manifest.h"

namespace etude::data {

/// A file to pack.
struct Source {
  std::filesystem::path path;
  std::string name;    ///< relative to its input folder; with several inputs the folder's own name comes first
  std::string folder;  ///< name of the folder it lies in, when that is below the input folder
  bool is_abc = false;
};

struct Sources {
  std::vector<Source> files;     ///< by input, then by name
  std::vector<Skipped> skipped;  ///< folders that could not be looked into
};

/// The .mid, .midi and .abc files (in any case) below the inputs, each a folder or a single file. Links to folders are
/// not followed. Throws UsageError for an input that is not there.
Sources find_sources(const std::vector<std::filesystem::path>& inputs);

}  // namespace etude::data
