#include "models/weights.h"

#include <string_view>

namespace etude::models {

void WeightedModel::register_weights() {
  parameters_.clear();
  visit([this](const std::string& name, at::Tensor& value, const char* part) {
    value.requires_grad_(true);
    const bool matrix = value.dim() > 1 && !name.ends_with("bias");
    const bool apart = std::string_view(part) == kCompressionPart;
    parameters_.push_back({.name = name, .value = value, .decay = matrix, .part = part, .apart = apart});
  });
}

void WeightedModel::become_replica() {
  visit([](const std::string&, at::Tensor& value, const char*) { value = value.detach(); });
  register_weights();
}

}  // namespace etude::models
