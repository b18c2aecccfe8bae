#pragma once

#include <cstdint>

#include <nlohmann/json_fwd.hpp>

#include "framework/train/options.h"

namespace etude::train {

/// The learning rate as a function of the step; for the plateau schedule also of the evaluations so far.
class Schedule {
 public:
  /// `steps`: of the whole run.
  Schedule(const TrainOptions& options, std::int64_t steps, bool more_is_better, double min_delta);

  /// Learning rate of the step with this index (0 is the first). Warm-up: lr (step + 1) / warmup, so that the first
  /// step already moves.
  double lr(std::int64_t step) const;
  /// An evaluation's metric; returns true when the plateau schedule lowered the rate because of it.
  bool observe(double metric);

  nlohmann::json state() const;
  void load_state(const nlohmann::json& state);

 private:
  TrainOptions options_;
  std::int64_t steps_;
  bool more_is_better_;
  double min_delta_;
  double scale_ = 1.0;
  double best_;
  std::int64_t without_improvement_ = 0;
};

/// Whether `value` beats `best` by more than `min_delta`. Never true for a value that is not finite.
bool improves(double value, double best, bool more_is_better, double min_delta);

}  // namespace etude::train
