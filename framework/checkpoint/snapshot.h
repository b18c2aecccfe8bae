#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "models/safetensors.h"

namespace etude::checkpoint {

/// Everything a run needs to go on as if it had never stopped. On disk it is a folder:
/// model.safetensors, config.json (what transformers' from_pretrained needs), optimizer.safetensors, lanes.safetensors
/// (where the model remembers), state.json, and manifest.json with the size and hash of each of them.
struct Snapshot {
  std::int64_t step = 0;           ///< steps done
  models::NamedTensors model;      ///< float32 weights
  nlohmann::json model_config;     ///< becomes config.json; left out when null
  models::NamedTensors optimizer;  ///< "exp_avg.<parameter>", …
  models::NamedTensors lanes;      ///< what the lanes remember: "heard", "memory.0", …; left out when empty
  nlohmann::json state;            ///< the trainer's: stopping, schedule, time trained, what the run was made from
  std::optional<double> metric;    ///< what stop.metric was at this step, if it was evaluated
};

/// What a checkpoint says of itself without its tensors being read.
struct Manifest {
  std::int64_t step = 0;
  std::optional<double> metric;
};

/// Writes the snapshot's files into a folder that exists; the caller makes it appear whole.
void write_snapshot(const std::filesystem::path& folder, const Snapshot& snapshot);

/// Throws Error naming the file when it is missing or malformed.
Manifest read_manifest(const std::filesystem::path& folder);

/// Compares every file with the manifest. Throws Error naming the file that is missing, truncated or changed.
void verify(const std::filesystem::path& folder);

/// Verifies and reads a checkpoint.
Snapshot read_snapshot(const std::filesystem::path& folder);

/// The weights alone, verified too.
models::NamedTensors read_weights(const std::filesystem::path& folder);

}  // namespace etude::checkpoint
