#pragma once

#include <cstdint>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include "models/model.h"
#include "models/safetensors.h"

namespace etude::testing {

inline at::Tensor random_normal(at::IntArrayRef shape, std::uint64_t seed, double deviation = 1.0) {
  return at::empty(shape, at::kFloat).normal_(0.0, deviation, at::make_generator<at::CPUGeneratorImpl>(seed));
}

inline at::Tensor random_tokens(at::IntArrayRef shape, std::int64_t vocabulary, std::uint64_t seed) {
  return at::empty(shape, at::kLong).random_(0, vocabulary, at::make_generator<at::CPUGeneratorImpl>(seed));
}

/// Moves every weight away from its initial value, biases and normalisation too, so that none hides behind a 0 or 1.
inline void shake(models::Model& model, std::uint64_t seed) {
  const at::NoGradGuard no_gradient;
  for (const models::Parameter& parameter : model.parameters()) {
    parameter.value.add_(random_normal(parameter.value.sizes(), seed++, 0.1));
  }
}

inline models::NamedTensors weights_of(const models::Model& model) {
  models::NamedTensors weights;
  for (const models::Parameter& parameter : model.parameters()) {
    weights.emplace_back(parameter.name, parameter.value.detach());
  }
  return weights;
}

inline at::Tensor find(const models::NamedTensors& tensors, const std::string& name) {
  for (const auto& [candidate, tensor] : tensors) {
    if (candidate == name) return tensor;
  }
  ADD_FAILURE() << "no tensor named " << name;
  return {};
}

/// The largest difference, relative to the largest magnitude expected.
inline double relative_error(const at::Tensor& actual, const at::Tensor& expected) {
  EXPECT_EQ(actual.sizes(), expected.sizes());
  if (actual.sizes() != expected.sizes()) return 1e9;
  const double difference = actual.to(at::kDouble).sub(expected.to(at::kDouble)).abs().max().item<double>();
  return difference / (expected.to(at::kDouble).abs().max().item<double>() + 1e-30);
}

}  // namespace etude::testing
