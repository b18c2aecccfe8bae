#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "models/kernels/decode.h"

namespace etude::models {

/// A copy of a weight [in, out] and its float32 bias [out] (may be undefined), laid out to be multiplied by few rows:
/// every byte is read once and in order. It stays in float32 or bfloat16, whichever the weight is held in; bfloat16 is
/// widened in registers, so that products and sums are those of float32.
class PackedMatrix {
 public:
  PackedMatrix() = default;
  PackedMatrix(const at::Tensor& weight, const at::Tensor& bias);

  /// Columns of what multiply() writes: `out`, rounded up to whole panels. The additional ones are 0 (kAdd: unchanged).
  std::int64_t stride() const { return panels_ * kPanelColumns; }

  /// y [rows, stride()] = x [rows, in] times the weight plus the bias; `then` gelu of that, or the sum of that and y.
  void multiply(const float* x, std::int64_t x_stride, std::int64_t rows, float* y, Then then = Then::kStore) const;

 private:
  std::int64_t in_ = 0, panels_ = 0;
  at::Tensor weight_;  ///< [panels, in, kPanelColumns]
  at::Tensor bias_;    ///< [stride()], or undefined
};

}  // namespace etude::models
