#include "framework/train/training_plan.h"

#include <algorithm>
#include <cmath>

namespace etude::train {

data::Order order_of(const data::DataOptions& options, const models::Model& model) {
  if (options.order != data::Order::kAuto) return options.order;
  return model.remembers() ? data::Order::kLanes : data::Order::kShuffled;
}

std::unique_ptr<data::Plan> training_plan(const Experiment& experiment, const data::Pack& pack, data::Order order) {
  data::DataOptions options = experiment.data;
  options.order = order;
  return data::make_training_plan(pack, options, experiment.train.global_batch, experiment.seed());
}

std::int64_t steps_of(const TrainOptions& options, const data::Plan& plan) {
  if (options.epochs <= 0) return options.steps;
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(options.epochs / plan.epochs_after(1) - 1e-9)));
}

}  // namespace etude::train
