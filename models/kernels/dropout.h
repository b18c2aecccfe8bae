#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace etude::models {

/// Where dropout draws from: a counter-based generator, so that what is dropped is a function of (seed, step, grain,
/// place in the model, element) and of nothing else: no thread, rank or order of evaluation changes it.
struct DropoutKey {
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
  std::uint64_t grain = 0;
};

/// x with each element zeroed with probability `rate` and the others scaled by 1/(1 - rate). `site` numbers the places
/// in the model that drop something. The mask is not stored: backward draws it again. `key` may be null (evaluation).
at::Tensor dropout(const at::Tensor& x, double rate, const DropoutKey* key, std::uint32_t site);

}  // namespace etude::models
