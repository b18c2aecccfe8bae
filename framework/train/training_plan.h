#pragma once

#include <cstdint>
#include <memory>

#include "data/loader/plan.h"
#include "framework/train/experiment.h"
#include "models/model.h"

namespace etude::train {

/// data.order with kAuto resolved: lanes for a model that remembers.
data::Order order_of(const data::DataOptions& options, const models::Model& model);

/// What an experiment learns from, step by step.
std::unique_ptr<data::Plan> training_plan(const Experiment& experiment, const data::Pack& pack, data::Order order);

/// How many steps are to be taken: train.steps, or as many as train.epochs takes.
std::int64_t steps_of(const TrainOptions& options, const data::Plan& plan);

}  // namespace etude::train
