#include "framework/train/forecast.h"

#include <algorithm>

#include "framework/train/training_plan.h"

namespace etude::train {

namespace {

constexpr std::int64_t kFloatBytes = 4, kBfloat16Bytes = 2;

void count_parameters(Forecast& result, const models::Model& model) {
  for (const models::Parameter& parameter : model.parameters()) {
    const std::int64_t count = parameter.value.numel();
    result.parameters += count;
    auto part =
        std::ranges::find(result.parameters_of_parts, parameter.part, &std::pair<std::string, std::int64_t>::first);
    if (part == result.parameters_of_parts.end()) {
      part = result.parameters_of_parts.insert(part, {parameter.part, 0});
    }
    part->second += count;
  }
}

void count_bytes(Forecast& result, const TrainOptions& options, const models::Model& model) {
  result.weights = kFloatBytes * result.parameters;
  if (options.precision == Precision::kBfloat16) {
    for (const models::Parameter& parameter : model.parameters()) {
      if (parameter.decay) result.weights += kBfloat16Bytes * parameter.value.numel();
    }
  }
  result.gradients = kFloatBytes * result.parameters;
  result.moments = (options.optimizer == OptimizerKind::kAdamW ? 2 : 1) * kFloatBytes * result.parameters;
}

}  // namespace

Forecast forecast(const Experiment& experiment, const models::Model& model, const data::Pack* pack) {
  Forecast result;
  result.kind = model.kind();
  result.vocabulary = model.vocabulary_size();
  count_parameters(result, model);
  count_bytes(result, experiment.train, model);

  result.segment = experiment.data.sequence_length;
  result.reach = model.reach(result.segment);
  for (const at::Tensor& states : model.initial_memory(1).tensors) {
    result.remembered += states.size(1);
    result.lanes += static_cast<std::int64_t>(states.nbytes()) * experiment.train.global_batch;
  }
  result.training_flops = model.training_flops_per_token(result.segment);
  result.evaluation_flops = model.evaluation_flops_per_token(result.segment);

  result.tokens_per_step = experiment.train.global_batch * result.segment;
  if (experiment.train.epochs <= 0) result.steps = experiment.train.steps;
  if (pack != nullptr) {
    const auto plan = training_plan(experiment, *pack, order_of(experiment.data, model));
    result.steps = steps_of(experiment.train, *plan);
    result.epochs = plan->epochs_after(*result.steps);
  }
  return result;
}

}  // namespace etude::train
