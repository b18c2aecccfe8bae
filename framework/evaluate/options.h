#pragma once

#include <cstdint>

#include "framework/config/options.h"

namespace etude::evaluate {

/// The `evaluate` section of an experiment.
struct EvaluateOptions {
  std::int64_t every = 200;  ///< steps; 0: only at the end
  std::int64_t batches = 0;  ///< of micro_batch sequences each; 0: the whole split
};
void describe(config::Section& section, EvaluateOptions& options);

}  // namespace etude::evaluate
