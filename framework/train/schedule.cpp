#include "framework/train/schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <nlohmann/json.hpp>

namespace etude::train {

bool improves(double value, double best, bool more_is_better, double min_delta) {
  return std::isfinite(value) && (more_is_better ? value > best + min_delta : value < best - min_delta);
}

Schedule::Schedule(const TrainOptions& options, std::int64_t steps, bool more_is_better, double min_delta)
    : options_(options),
      steps_(steps),
      more_is_better_(more_is_better),
      min_delta_(min_delta),
      best_(more_is_better ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity()) {}

double Schedule::lr(std::int64_t step) const {
  if (step < options_.warmup) {
    return options_.lr * static_cast<double>(step + 1) / static_cast<double>(options_.warmup);
  }
  const double after = static_cast<double>(step - options_.warmup);
  const double whole = static_cast<double>(std::max<std::int64_t>(1, steps_ - options_.warmup));
  const double progress = std::min(1.0, after / whole);
  const double span = options_.lr - options_.min_lr;
  switch (options_.schedule) {
    case ScheduleKind::kCosine:
      return options_.min_lr + span * 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
    case ScheduleKind::kLinear:
      return options_.min_lr + span * (1.0 - progress);
    case ScheduleKind::kConstant:
      return options_.lr;
    case ScheduleKind::kInverseSquareRoot: {
      const double offset = static_cast<double>(std::max<std::int64_t>(1, options_.warmup));
      return std::max(options_.min_lr, options_.lr * std::sqrt(offset / (offset + after)));
    }
    case ScheduleKind::kPlateau:
      return std::max(options_.min_lr, options_.lr * scale_);
  }
  return options_.lr;
}

bool Schedule::observe(double metric) {
  if (options_.schedule != ScheduleKind::kPlateau) return false;
  if (improves(metric, best_, more_is_better_, min_delta_)) {
    best_ = metric;
    without_improvement_ = 0;
    return false;
  }
  if (++without_improvement_ <= options_.plateau_patience) return false;
  without_improvement_ = 0;
  scale_ *= options_.plateau_factor;
  return true;
}

nlohmann::json Schedule::state() const {
  nlohmann::json state{{"scale", scale_}, {"without_improvement", without_improvement_}, {"best", nullptr}};
  if (std::isfinite(best_)) state["best"] = best_;
  return state;
}

void Schedule::load_state(const nlohmann::json& state) {
  scale_ = state.at("scale").get<double>();
  without_improvement_ = state.at("without_improvement").get<std::int64_t>();
  if (!state.at("best").is_null()) best_ = state.at("best").get<double>();
}

}  // namespace etude::train
