#include "framework/train/early_stopping.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "framework/evaluate/metrics.h"
#include "framework/train/schedule.h"

namespace etude::train {

EarlyStopping::EarlyStopping(const StopOptions& options)
    : options_(options), more_is_better_(evaluate::more_is_better(options.metric)) {}

bool EarlyStopping::observe(std::int64_t step, double metric) {
  const bool better = best_ ? improves(metric, *best_, more_is_better_, options_.min_delta) : std::isfinite(metric);
  if (better) {
    best_ = metric;
    best_step_ = step;
    without_improvement_ = 0;
  } else {
    ++without_improvement_;
  }
  return better;
}

bool EarlyStopping::should_stop() const { return options_.patience > 0 && without_improvement_ >= options_.patience; }

nlohmann::json EarlyStopping::state() const {
  nlohmann::json state{{"best", nullptr}, {"best_step", best_step_}, {"without_improvement", without_improvement_}};
  if (best_) state["best"] = *best_;
  return state;
}

void EarlyStopping::load_state(const nlohmann::json& state) {
  if (!state.at("best").is_null()) best_ = state.at("best").get<double>();
  best_step_ = state.at("best_step").get<std::int64_t>();
  without_improvement_ = state.at("without_improvement").get<std::int64_t>();
}

}  // namespace etude::train
