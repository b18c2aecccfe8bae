#include "models/kernels/relative_attention.h"

#include <cmath>
#include <limits>

#include <ATen/ATen.h>

#include "framework/config/error.h"

namespace etude::models {

namespace {

/// [batch, time, heads * n] -> [batch, heads, time, n]
at::Tensor by_head(const at::Tensor& x, std::int64_t heads) {
  return x.view({x.size(0), x.size(1), heads, -1}).transpose(1, 2);
}

/// Scores of positions, by distance [.., time, length + time] in descending order, become scores of keys (Dai et al.
/// 2019, appendix B): each row moves left until the distance 0 stands over its own key.
at::Tensor shifted(const at::Tensor& scores) {
  const std::int64_t batch = scores.size(0), heads = scores.size(1), time = scores.size(2), keys = scores.size(3);
  return at::constant_pad_nd(scores, {1, 0}).view({batch, heads, keys + 1, time}).narrow(2, 1, keys).reshape(
      {batch, heads, time, keys});
}

/// Which keys a query must not see: bool [batch, 1, time, length + time].
at::Tensor hidden_keys(const RelativeAttention& how, std::int64_t time, std::int64_t keys, const at::Device& device) {
  const at::Tensor place = at::arange(keys, at::TensorOptions().dtype(at::kLong).device(device));
  const at::Tensor own = place.narrow(0, keys - time, time).unsqueeze(1);
  at::Tensor hidden = place.gt(own);
  if (how.window > 0) hidden = hidden.logical_or(place.le(own - how.window));
  const at::Tensor first = at::tensor(how.first_key, at::kLong).to(device).view({-1, 1, 1, 1});
  return hidden.logical_or(place.lt(first));
}

}  // namespace

at::Tensor relative_attention(const at::Tensor& qkv, const at::Tensor& memory, const at::Tensor& positions,
                              const at::Tensor& content_bias, const at::Tensor& position_bias,
                              const RelativeAttention& how) {
  const std::int64_t batch = qkv.size(0), time = qkv.size(1), width = qkv.size(2) / 3, keys = memory.size(1) + time;
  if (qkv.dim() != 3 || qkv.size(2) != 3 * width || width % how.heads != 0 || memory.size(2) != 2 * width ||
      positions.size(0) != keys || std::ssize(how.first_key) != batch) {
    throw Error("relative attention was given tensors that do not fit together");
  }
  const at::Tensor queries = qkv.narrow(2, 0, width).to(at::kFloat);
  const at::Tensor all = at::cat({memory, qkv.narrow(2, width, 2 * width)}, 1).to(at::kFloat);
  const at::Tensor k = by_head(all.narrow(2, 0, width), how.heads), v = by_head(all.narrow(2, width, width), how.heads);
  const at::Tensor r = by_head(positions.to(at::kFloat).unsqueeze(0), how.heads);
  const at::Tensor content = at::matmul(by_head(queries + content_bias, how.heads), k.transpose(2, 3));
  const at::Tensor position = shifted(at::matmul(by_head(queries + position_bias, how.heads), r.transpose(2, 3)));
  const double scale = 1.0 / std::sqrt(static_cast<double>(width / how.heads));
  at::Tensor probabilities = at::softmax(
      ((content + position) * scale)
          .masked_fill(hidden_keys(how, time, keys, qkv.device()), -std::numeric_limits<double>::infinity()),
      -1);
  if (how.key != nullptr && how.rate > 0) {
    const at::Tensor padded = at::constant_pad_nd(probabilities, {0, (128 - keys % 128) % 128});
    probabilities = dropout(padded, how.rate, how.key, how.site).narrow(3, 0, keys);
  }
  return at::matmul(probabilities, v).transpose(1, 2).reshape({batch, time, width}).to(qkv.scalar_type());
}

}  // namespace etude::models
