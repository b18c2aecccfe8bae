#include "models/gpt2_decoder.h"

#include <optional>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <fmt/format.h>

#include "framework/config/error.h"
#include "models/kernels/linear.h"

namespace etude::models {

Gpt2Decoder::Gpt2Decoder(const Gpt2& model, std::int64_t batch) : model_(model), batch_(batch) {
  const std::int64_t heads = model.options_.heads;
  const auto room = [&] {
    return at::empty({batch, heads, model.context(), model.options_.width / heads}, at::kFloat);
  };
  for (std::size_t i = 0; i < model.layers_.size(); ++i) caches_.push_back({room(), room()});
}

at::Tensor Gpt2Decoder::attend(const at::Tensor& qkv, Cache& cache) const {
  const std::int64_t heads = model_.options_.heads, count = qkv.size(1), total = length_ + count;
  const auto parts = qkv.to(at::kFloat).view({batch_, count, 3, heads, -1}).permute({2, 0, 3, 1, 4});
  cache.keys.slice(2, length_, total).copy_(parts[1]);
  cache.values.slice(2, length_, total).copy_(parts[2]);
  std::optional<at::Tensor> mask;  // a single token sees everything, and an empty cache makes it plainly causal
  if (count > 1 && length_ > 0) mask = at::ones({count, total}, at::kBool).tril(length_);
  const at::Tensor mixed =
      at::scaled_dot_product_attention(parts[0], cache.keys.slice(2, 0, total), cache.values.slice(2, 0, total), mask,
                                       /*dropout_p=*/0.0, /*is_causal=*/count > 1 && length_ == 0);
  return mixed.transpose(1, 2).reshape({batch_, count, model_.options_.width});
}

at::Tensor Gpt2Decoder::advance(const at::Tensor& tokens) {
  if (tokens.dim() != 2 || tokens.size(0) != batch_ || tokens.size(1) < 1) {
    throw Error(fmt::format("a decoder of {} rows was given tokens of another shape", batch_));
  }
  const at::NoGradGuard no_gradient;
  at::Tensor x = model_.embed(tokens, length_);
  for (std::size_t i = 0; i < caches_.size(); ++i) {
    const Gpt2::Layer& layer = model_.layers_[i];
    const at::Tensor qkv =
        linear(model_.normalise(x, layer.attention_norm), layer.attention_input.weight, layer.attention_input.bias);
    x = x.add(linear(attend(qkv, caches_[i]), layer.attention_output.weight, layer.attention_output.bias));
    x = x.add(model_.mlp(model_.normalise(x, layer.mlp_norm), layer));
  }
  length_ += tokens.size(1);
  const at::Tensor last = model_.normalise(x.select(1, tokens.size(1) - 1), model_.final_norm_);
  return linear(last, model_.tokens_.t(), {}).to(at::kFloat);
}

void Gpt2Decoder::select(const at::Tensor& rows) {
  for (Cache& cache : caches_) {
    cache.keys = cache.keys.index_select(0, rows);
    cache.values = cache.values.index_select(0, rows);
  }
  batch_ = rows.numel();
}

std::unique_ptr<Decoder> Gpt2::decoder(std::int64_t batch) { return std::make_unique<Gpt2Decoder>(*this, batch); }

}  // namespace etude::models
