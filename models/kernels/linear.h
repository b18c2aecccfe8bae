#pragma once

#include <ATen/core/Tensor.h>

namespace etude::models {

/// x [..., in] times weight [in, out] plus a float32 bias [out], which may be undefined.
///
/// A float32 weight gives a float32 result. A bfloat16 weight asks for products in bfloat16: where the processor
/// multiplies that type itself, x and the result are bfloat16 too. Elsewhere, where such products take twenty times as
/// long, the weight is widened for the product, and the result is float32; only the weight is rounded then.
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

/// The type that linear() multiplies such a weight in.
at::ScalarType product_type(const at::Tensor& weight);

/// The same without a bias.
inline at::Tensor product(const at::Tensor& x, const at::Tensor& weight) { return linear(x, weight, at::Tensor()); }

}  // namespace etude::models
