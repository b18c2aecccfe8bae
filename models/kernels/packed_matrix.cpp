#include "models/kernels/packed_matrix.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include "models/kernels/kernels.h"

namespace etude::models {

PackedMatrix::PackedMatrix(const at::Tensor& weight, const at::Tensor& bias)
    : in_(weight.size(0)), panels_((weight.size(1) + kPanelColumns - 1) / kPanelColumns) {
  const at::NoGradGuard no_gradient;
  const auto type = weight.scalar_type() == at::kBFloat16 ? at::kBFloat16 : at::kFloat;
  const at::Tensor padded = at::zeros({in_, stride()}, type);
  padded.narrow(1, 0, weight.size(1)).copy_(weight.detach());
  weight_ = padded.view({in_, panels_, kPanelColumns}).transpose(0, 1).contiguous();
  if (type == at::kBFloat16) {
    auto* bits = static_cast<std::uint16_t*>(weight_.mutable_data_ptr());
    for (std::int64_t row = 0; row < panels_ * in_; ++row) {
      std::uint16_t columns[kPanelColumns];
      std::copy_n(bits + row * kPanelColumns, kPanelColumns, columns);
      kernels().decode.interleave(columns, bits + row * kPanelColumns);
    }
  }
  if (bias.defined()) {
    bias_ = at::zeros({stride()}, at::kFloat);
    bias_.narrow(0, 0, bias.size(0)).copy_(bias.detach());
  }
}

void PackedMatrix::multiply(const float* x, std::int64_t x_stride, std::int64_t rows, float* y, Then then) const {
  kernels().decode.multiply_panels[weight_.scalar_type() == at::kBFloat16](
      {.x = x,
       .x_stride = x_stride,
       .rows = rows,
       .in = in_,
       .weights = weight_.const_data_ptr(),
       .panel_stride = in_ * kPanelColumns,
       .panels = panels_,
       .bias = bias_.defined() ? bias_.const_data_ptr<float>() : nullptr,
       .then = then,
       .y = y,
       .y_stride = stride()});
}

}  // namespace etude::models
