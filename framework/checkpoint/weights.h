#pragma once

#include <string>

#include "models/model.h"
#include "models/safetensors.h"

namespace etude::checkpoint {

/// Copies each tensor of `from` into the one of the same name in `into` (converting its type). Throws Error naming
/// `place` and the first tensor that is missing or of another shape; tensors of `from` that nobody asked for are left.
void copy_by_name(const models::NamedTensors& into, const models::NamedTensors& from, const std::string& place);

/// Sets a model's weights.
void load_weights(models::Model& model, const models::NamedTensors& weights, const std::string& place);

}  // namespace etude::checkpoint
