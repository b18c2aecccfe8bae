#include "models/kernels/gpu.h"

#include <cmath>
#include <limits>
#include <mutex>

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/native_dropout.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

#include "models/kernels/cross_entropy.h"
#include "models/kernels/dropout.h"
#include "models/kernels/linear.h"

namespace etude::models::on_gpu {

namespace {

/// splitmix64's last mixing (Steele et al. 2014), so that neighbouring numbers give seeds far apart.
std::uint64_t mixed(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9ULL;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebULL;
  return bits ^ (bits >> 31);
}

void seed_device(const at::Device& device, const DropoutKey& key, std::uint32_t site) {
  std::uint64_t seed = 0;
  for (const std::uint64_t part : {key.seed, key.step, key.grain, std::uint64_t{site}}) {
    seed = mixed(seed + part + 0x9e3779b97f4a7c15ULL);
  }
  at::Generator generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard lock(generator.mutex());
  generator.set_current_seed(seed);
}

/// [batch, time, heads * n] -> [batch, heads, time, n]
at::Tensor by_head(const at::Tensor& x, std::int64_t heads) {
  return x.view({x.size(0), x.size(1), heads, -1}).transpose(1, 2);
}

/// Scores of positions, by distance [.., time, length + time] in descending order, become scores of keys (Dai et al.
/// 2019, appendix B): each row moves left until the distance 0 stands over its own key.
at::Tensor shifted(const at::Tensor& scores) {
  const std::int64_t batch = scores.size(0), heads = scores.size(1), time = scores.size(2), keys = scores.size(3);
  return at::constant_pad_nd(scores, {1, 0})
      .view({batch, heads, keys + 1, time})
      .narrow(2, 1, keys)
      .reshape({batch, heads, time, keys});
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

at::Tensor causal_attention(const at::Tensor& qkv, std::int64_t heads, double rate, const DropoutKey* key,
                            std::uint32_t site) {
  const bool drops = key != nullptr && rate > 0.0;
  if (drops) seed_device(qkv.device(), *key, site);
  const std::int64_t batch = qkv.size(0), time = qkv.size(1);
  const at::Tensor parts =
      qkv.view({batch, time, 3, heads, -1}).permute({2, 0, 3, 1, 4});  // [3, batch, heads, time, …]
  const at::Tensor mixed = at::scaled_dot_product_attention(parts[0], parts[1], parts[2], std::nullopt,
                                                            drops ? rate : 0.0, /*is_causal=*/true);
  return mixed.transpose(1, 2).reshape({batch, time, qkv.size(2) / 3});
}

at::Tensor relative_attention(const at::Tensor& qkv, const at::Tensor& memory, const at::Tensor& positions,
                              const at::Tensor& content_bias, const at::Tensor& position_bias,
                              const RelativeAttention& how) {
  const std::int64_t batch = qkv.size(0), time = qkv.size(1), width = qkv.size(2) / 3, keys = memory.size(1) + time;
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
    probabilities = models::dropout(padded, how.rate, how.key, how.site).narrow(3, 0, keys);
  }
  return at::matmul(probabilities, v).transpose(1, 2).reshape({batch, time, width}).to(qkv.scalar_type());
}

at::Tensor linear_cross_entropy(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& bias,
                                const at::Tensor& targets, double label_smoothing) {
  return at::cross_entropy_loss(linear(hidden, weight.t(), bias).to(at::kFloat), targets, {}, at::Reduction::Sum,
                                kIgnoredTarget, label_smoothing);
}

at::Tensor dropout(const at::Tensor& x, double rate, const DropoutKey& key, std::uint32_t site) {
  seed_device(x.device(), key, site);
  return std::get<0>(at::native_dropout(x, rate, /*train=*/true));
}

}  // namespace etude::models::on_gpu
