#pragma once

#include <cstdint>

#include "framework/config/options.h"

namespace etude::checkpoint {

/// The `checkpoint` section of an experiment.
struct CheckpointOptions {
  std::int64_t every = 200;  ///< steps; 0: only when the run ends or is interrupted
  std::int64_t keep_last = 2;
  std::int64_t keep_best = 1;
};
void describe(config::Section& section, CheckpointOptions& options);

}  // namespace etude::checkpoint
