#pragma once

#include <filesystem>
#include <memory>

#include "data/shard/stored_shard.h"

namespace etude::data {

/// Datasets tokens, offsets, composer, title, labels in the root group; checksums as attributes (docs/formats.md).
/// Tokens are read by hyperslabs; all calls into HDF5 are serialised, since the common builds of it have no locks.
std::unique_ptr<StoredShard> open_hdf5_shard(const std::filesystem::path& file);
void write_hdf5_shard(const std::filesystem::path& file, const ShardContent& content);

}  // namespace etude::data
