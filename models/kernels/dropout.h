#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "models/kernels/dropout_key.h"

namespace etude::models {

/// x with each element zeroed with probability `rate` and the others scaled by 1/(1 - rate). `site` numbers the places
/// in the model that drop something. The mask is not stored: backward draws it again. `key` may be null (evaluation).
at::Tensor dropout(const at::Tensor& x, double rate, const DropoutKey* key, std::uint32_t site);

}  // namespace etude::models
