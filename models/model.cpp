#include "models/model.h"

#include <ATen/core/Reduction.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::models {

at::Tensor Model::loss_sum(const at::Tensor& hidden, const at::Tensor& targets, double label_smoothing) {
  const at::Tensor scores = logits(hidden);
  return at::cross_entropy_loss(scores.reshape({-1, scores.size(-1)}), targets.reshape({-1}), {}, at::Reduction::Sum,
                                /*ignore_index=*/-100, label_smoothing);
}

Memory Model::initial_memory(std::int64_t lanes, std::optional<std::int64_t> length) const {
  if (length) throw UsageError(fmt::format("a {} model has no memory whose length could be chosen", kind()));
  return {.tensors = {}, .heard = std::vector<std::int64_t>(static_cast<std::size_t>(lanes)), .loss = {}};
}

double Model::evaluation_flops_per_token(std::int64_t sequence_length) const {
  return training_flops_per_token(sequence_length) / 3.0;
}

std::optional<std::int64_t> Model::reach(std::int64_t sequence_length) const { return sequence_length; }

at::Device device_of(const Model& model) { return model.parameters().front().value.device(); }

void set_matrix_dtype(Model& model, at::ScalarType type) {
  for (const Parameter& parameter : model.parameters()) {
    if (parameter.decay) parameter.value.set_data(parameter.value.detach().to(type));
  }
}

void move_to(Model& model, const at::Device& device) {
  for (const Parameter& parameter : model.parameters()) parameter.value.set_data(parameter.value.detach().to(device));
}

}  // namespace etude::models
