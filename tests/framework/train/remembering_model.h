#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "models/model.h"

namespace etude::testing {

/// A model that remembers everything of a piece: the sum of all tokens that its lane has heard of it. What follows a
/// token is predicted from weight[token] + gain * (the sum up to and with it); the loss is that times the target. What
/// its memory costs is cost * (tokens heard in the segment), of which only `cost` learns. Token 8 makes the loss not a
/// number.
class RememberingModel : public models::Model {
 public:
  static constexpr std::int64_t kVocabulary = 10, kNotANumber = 8;

  RememberingModel() : RememberingModel(at::arange(kVocabulary, at::kFloat), at::ones({1}), at::full({1}, 0.5f)) {}

  std::string kind() const override { return "remembering"; }
  const std::vector<models::Parameter>& parameters() const override { return parameters_; }
  std::int64_t context() const override { return std::numeric_limits<std::int64_t>::max(); }
  std::int64_t vocabulary_size() const override { return kVocabulary; }
  bool remembers() const override { return true; }

  models::Memory initial_memory(std::int64_t lanes, std::optional<std::int64_t>) const override {
    return {.tensors = {at::zeros({lanes, 1})},
            .heard = std::vector<std::int64_t>(static_cast<std::size_t>(lanes)),
            .loss = {}};
  }
  at::Tensor hidden(const at::Tensor& tokens, models::Memory& memory, const models::DropoutKey*) override {
    at::Tensor before = memory.tensors.at(0).clone();
    for (std::size_t lane = 0; lane < memory.heard.size(); ++lane) {
      if (memory.heard[lane] == 0) before[static_cast<std::int64_t>(lane)].zero_();
      memory.heard[lane] += tokens.size(1);
    }
    const at::Tensor sums = tokens.to(at::kFloat).cumsum(1) + before;
    memory.tensors[0] = sums.narrow(1, sums.size(1) - 1, 1).detach().clone();
    memory.loss = parameters_[2].value.sum() * static_cast<double>(tokens.numel());
    at::Tensor values = parameters_[0].value.index_select(0, tokens.flatten()).view(tokens.sizes());
    values = values + parameters_[1].value * sums;
    if (tokens.eq(kNotANumber).any().item<bool>()) {
      values = values * std::numeric_limits<float>::quiet_NaN();
      memory.tensors[0] = memory.tensors[0] * std::numeric_limits<float>::quiet_NaN();
    }
    return values;
  }
  at::Tensor logits(const at::Tensor&) override { throw std::logic_error("this model has no logits"); }
  at::Tensor loss_sum(const at::Tensor& hidden, const at::Tensor& targets, double) override {
    return (hidden * targets.clamp_min(0).to(at::kFloat)).sum();
  }
  std::unique_ptr<models::Decoder> decoder(std::int64_t) override { throw std::logic_error("it plays nothing"); }
  std::unique_ptr<models::Model> replica() const override {
    return std::unique_ptr<Model>(new RememberingModel(parameters_[0].value.detach(), parameters_[1].value.detach(),
                                                       parameters_[2].value.detach()));
  }
  nlohmann::json hugging_face_config() const override { return nlohmann::json::object(); }
  double training_flops_per_token(std::int64_t) const override { return 0; }

 private:
  RememberingModel(const at::Tensor& weight, const at::Tensor& gain, const at::Tensor& cost)
      : parameters_{{"weight", weight.detach().requires_grad_(true), true},
                    {"gain", gain.detach().requires_grad_(true), false},
                    {.name = "cost", .value = cost.detach().requires_grad_(true), .apart = true}} {}

  std::vector<models::Parameter> parameters_;
};

}  // namespace etude::testing
