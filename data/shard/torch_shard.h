#pragma once

#include <filesystem>
#include <memory>

#include "data/shard/stored_shard.h"

namespace etude::data {

/// The file that torch.save would write for a dictionary of the same entries as the HDF5 shard's (docs/formats.md).
/// Read by memory mapping, without LibTorch: a zip of stored records and a pickle of a few opcodes.
std::unique_ptr<StoredShard> open_torch_shard(const std::filesystem::path& file);
void write_torch_shard(const std::filesystem::path& file, const ShardContent& content);

}  // namespace etude::data
