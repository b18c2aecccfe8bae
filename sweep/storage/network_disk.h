#pragma once

#include <filesystem>

namespace etude::sweep {

/// Whether a file system of this number (statfs's f_type) is one that several machines share.
bool is_network_disk(long type);
/// Whether the file, or the folder it would be in, is on such a one.
bool is_network_disk(const std::filesystem::path& file);

}  // namespace etude::sweep
