#include "models/gpt2_decoder.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>

#include "models/kernels/kernels.h"

namespace etude::models {

Gpt2Decoder::Gpt2Decoder(const Gpt2& model, std::int64_t batch)
    : LineDecoder(batch, model.options_.width, model.vocabulary_size()),
      context_(model.context_),
      heads_(model.options_.heads),
      head_width_(width_ / heads_) {
  const at::NoGradGuard no_gradient;
  const auto norm = [&](const Gpt2::Affine& affine) {
    return DecoderNorm(affine.weight, affine.bias, Gpt2::kNormEpsilon);
  };
  const auto packed = [](const Gpt2::Affine& affine) { return PackedMatrix(affine.weight, affine.bias); };
  tokens_ = decoder_copy(model.tokens_);
  positions_ = decoder_copy(model.positions_);
  for (const Gpt2::Layer& layer : model.layers_) {
    layers_.push_back({norm(layer.attention_norm), packed(layer.attention_input), packed(layer.attention_output),
                       norm(layer.mlp_norm), packed(layer.mlp_input), packed(layer.mlp_output),
                       KeyValueCache(batch, heads_, head_width_, context_)});
  }
  final_norm_ = norm(model.final_norm_);
  output_ = PackedMatrix(model.tokens_.t(), {});

  normed_ = decoder_scratch(kLines, width_);
  qkv_ = decoder_scratch(kLines, layers_.front().attention_input.stride());
  mixed_ = decoder_scratch(kLines, width_);
  inner_ = decoder_scratch(kLines, layers_.front().mlp_input.stride());
  scores_ = decoder_scratch(1, kernels().decode.scratch(context_, head_width_));
  take_memory(layers_.front().attention_output.stride(), output_.stride());
}

void Gpt2Decoder::reset() {
  LineDecoder::reset();
  length_ = 0;
}

const float* Gpt2Decoder::position(std::int64_t column) const {
  return positions_.const_data_ptr<float>() + (length_ + column) * width_;
}

void Gpt2Decoder::embed(std::int64_t token, std::int64_t column, float* x) const {
  const float* of_token = tokens_.const_data_ptr<float>() + token * width_;
  const float* of_position = position(column);
  for (std::int64_t i = 0; i < width_; ++i) x[i] = of_token[i] + of_position[i];
}

void Gpt2Decoder::attend(const Lines& lines, const Layer& layer) {
  for (std::int64_t line = 0; line < lines.count; line += lines.of_row(line)) {
    for (std::int64_t head = 0; head < heads_; ++head) {
      kernels().decode.attend({.count = lines.of_row(line),
                               .seen = length_ + lines.column(line) + 1,
                               .context = context_,
                               .head_width = head_width_,
                               .queries = data(qkv_) + line * qkv_.stride(0) + head * head_width_,
                               .query_stride = qkv_.stride(0),
                               .keys = layer.cache.keys(slot(lines.row(line)), head),
                               .values = layer.cache.values(slot(lines.row(line)), head),
                               .output = data(mixed_) + line * width_ + head * head_width_,
                               .output_stride = width_,
                               .scratch = data(scores_)});
    }
  }
}

void Gpt2Decoder::pass(const Lines& lines) {
  const std::int64_t n = lines.count;
  for (Layer& layer : layers_) {
    layer.attention_norm.apply(x(), x_stride(), n, data(normed_), width_);
    layer.attention_input.multiply(data(normed_), width_, n, data(qkv_));
    remember(lines, qkv_, length_, layer.cache);
    attend(lines, layer);
    layer.attention_output.multiply(data(mixed_), width_, n, x(), Then::kAdd);
    layer.mlp_norm.apply(x(), x_stride(), n, data(normed_), width_);
    layer.mlp_input.multiply(data(normed_), width_, n, data(inner_), Then::kGelu);
    layer.mlp_output.multiply(data(inner_), inner_.stride(0), n, x(), Then::kAdd);
  }
}

void Gpt2Decoder::copy_first_row(std::int64_t row) {
  for (Layer& layer : layers_) layer.cache.copy(slot(0), slot(row), length_);
}

void Gpt2Decoder::predict(float* hidden, std::int64_t rows, float* logits) {
  final_norm_.apply(hidden, width_, rows, hidden, width_);
  output_.multiply(hidden, width_, rows, logits);
}

std::unique_ptr<Decoder> Gpt2::decoder(std::int64_t batch) { return std::make_unique<Gpt2Decoder>(*this, batch); }

}  // namespace etude::models
