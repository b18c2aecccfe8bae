#pragma once

#include <filesystem>
#include <vector>

namespace etude::data {

/// Whether the folder is there and a new pack may take its place: it is empty, or holds a pack and nothing else and
/// `overwrite` is set. Throws UsageError with the way out where one may not, or where one of the inputs lies within it.
bool may_replace(const std::filesystem::path& folder, bool overwrite, const std::vector<std::filesystem::path>& inputs);

}  // namespace etude::data
