#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

namespace etude::models {

/// Named tensors in the safetensors format (8-byte header length, JSON header, raw little-endian data).
using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// Writes to `file` (not atomically: checkpoints are folders that appear whole). `metadata` becomes "__metadata__".
void write_safetensors(const std::filesystem::path& file, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata = {});

/// Reads every tensor, in the order of their data. Throws Error naming the file and what is malformed: header longer
/// than the file, offsets that overlap or leave gaps, sizes that do not fit the shape, unknown types.
NamedTensors read_safetensors(const std::filesystem::path& file);

}  // namespace etude::models
