#pragma once

#include <ATen/core/Tensor.h>

namespace etude::models {

/// x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2, the tanh form of Hendrycks & Gimpel 2016 ("Gaussian error linear
/// units", section 2), of float32 or bfloat16. Backward finds the gate again instead of keeping it.
at::Tensor gelu(const at::Tensor& x);

}  // namespace etude::models
