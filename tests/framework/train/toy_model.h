#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <vector>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "models/model.h"

namespace etude::testing {

/// A model whose gradients are worked out by hand: the loss of a token t with target y is weight[t] * y, plus
/// t * y * extra where the token 7 stands somewhere in the grain. Token 8 makes the loss not a number; token 9 adds the
/// root of a weight that is 0: a loss of 0 with an infinite gradient.
class ToyModel : public models::Model {
 public:
  static constexpr std::int64_t kVocabulary = 10;
  static constexpr std::int64_t kWithExtra = 7, kNotANumber = 8, kInfiniteGradient = 9;

  ToyModel() : ToyModel(at::arange(kVocabulary, at::kFloat).mul(0.5).add(1), at::full({1}, 0.25f)) {}

  std::string kind() const override { return "toy"; }
  const std::vector<models::Parameter>& parameters() const override { return parameters_; }
  std::int64_t context() const override { return std::numeric_limits<std::int64_t>::max(); }
  std::int64_t vocabulary_size() const override { return kVocabulary; }

  at::Tensor hidden(const at::Tensor& tokens, models::Memory&, const models::DropoutKey*) override {
    const at::Tensor& weight = parameters_[0].value;
    at::Tensor values = weight.index_select(0, tokens.flatten()).view(tokens.sizes());
    if (holds(tokens, kWithExtra)) values = values + tokens.to(at::kFloat) * parameters_[1].value;
    if (holds(tokens, kNotANumber)) values = values * std::numeric_limits<float>::quiet_NaN();
    if (holds(tokens, kInfiniteGradient)) values = values + (weight.narrow(0, 0, 1) - 1).sqrt();
    return values;
  }
  at::Tensor logits(const at::Tensor&) override { throw std::logic_error("the toy has no logits"); }
  at::Tensor loss_sum(const at::Tensor& hidden, const at::Tensor& targets, double) override {
    return (hidden * targets.clamp_min(0).to(at::kFloat)).sum();
  }
  std::unique_ptr<models::Decoder> decoder(std::int64_t) override { throw std::logic_error("the toy plays nothing"); }
  std::unique_ptr<models::Model> replica() const override {
    return std::unique_ptr<Model>(new ToyModel(parameters_[0].value.detach(), parameters_[1].value.detach()));
  }
  nlohmann::json hugging_face_config() const override { return nlohmann::json::object(); }
  double training_flops_per_token(std::int64_t) const override { return 0; }

 private:
  ToyModel(const at::Tensor& weight, const at::Tensor& extra)
      : parameters_{{"weight", weight.detach().requires_grad_(true), true},
                    {"extra", extra.detach().requires_grad_(true), false}} {}
  static bool holds(const at::Tensor& tokens, std::int64_t token) { return tokens.eq(token).any().item<bool>(); }

  std::vector<models::Parameter> parameters_;
};

}  // namespace etude::testing
