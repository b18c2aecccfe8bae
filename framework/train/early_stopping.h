#pragma once

#include <cstdint>
#include <optional>

#include <nlohmann/json_fwd.hpp>

#include "framework/train/options.h"

namespace etude::train {

/// Remembers the best evaluation and says when waiting for a better one has taken too long.
class EarlyStopping {
 public:
  explicit EarlyStopping(const StopOptions& options);

  /// Takes an evaluation's metric. Returns true when it is an improvement by more than min_delta.
  bool observe(std::int64_t step, double metric);
  /// True after `patience` evaluations in a row without improvement (never with patience 0).
  bool should_stop() const;

  std::optional<double> best() const { return best_; }
  std::int64_t best_step() const { return best_step_; }
  std::int64_t without_improvement() const { return without_improvement_; }

  nlohmann::json state() const;
  void load_state(const nlohmann::json& state);

 private:
  StopOptions options_;
  bool more_is_better_;
  std::optional<double> best_;
  std::int64_t best_step_ = 0;
  std::int64_t without_improvement_ = 0;
};

}  // namespace etude::train
