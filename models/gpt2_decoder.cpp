#include "models/gpt2_decoder.h"

#include <algorithm>
#include <numeric>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include "framework/config/error.h"
#include "models/kernels/kernels.h"

namespace etude::models {

namespace {

// Lines that go through a layer together: enough to use each weight often while it is in the cache.
constexpr std::int64_t kLines = 96;

std::int64_t panels_of(std::int64_t columns) { return (columns + kPanelColumns - 1) / kPanelColumns; }

float* data(const at::Tensor& tensor) { return tensor.mutable_data_ptr<float>(); }

}  // namespace

Gpt2Decoder::Gpt2Decoder(const Gpt2& model, std::int64_t batch)
    : context_(model.context()),
      width_(model.options_.width),
      heads_(model.options_.heads),
      head_width_(width_ / heads_),
      vocabulary_(model.vocabulary_size()),
      slots_(static_cast<std::size_t>(batch)) {
  const at::NoGradGuard no_gradient;
  std::iota(slots_.begin(), slots_.end(), 0);
  const auto copied = [](const at::Tensor& weight) { return at::empty(weight.sizes(), at::kFloat).copy_(weight); };
  const auto norm = [&](const Gpt2::Affine& affine) { return Norm{copied(affine.weight), copied(affine.bias)}; };
  const auto packed = [](const Gpt2::Affine& affine) { return PackedMatrix(affine.weight, affine.bias); };
  tokens_ = copied(model.tokens_);
  positions_ = copied(model.positions_);
  for (const Gpt2::Layer& layer : model.layers_) {
    layers_.push_back({norm(layer.attention_norm), packed(layer.attention_input), packed(layer.attention_output),
                       norm(layer.mlp_norm), packed(layer.mlp_input), packed(layer.mlp_output),
                       at::empty({batch, heads_, panels_of(context_), head_width_, kPanelColumns}, at::kFloat),
                       at::empty({batch, heads_, panels_of(head_width_), context_, kPanelColumns}, at::kFloat)});
  }
  final_norm_ = norm(model.final_norm_);
  output_ = PackedMatrix(model.tokens_.t(), {});

  const auto lines = [](std::int64_t columns) { return at::zeros({kLines, columns}, at::kFloat); };
  x_ = lines(layers_.front().attention_output.stride());
  normed_ = lines(width_);
  qkv_ = lines(layers_.front().attention_input.stride());
  mixed_ = lines(width_);
  inner_ = lines(layers_.front().mlp_input.stride());
  scores_ = at::empty({kernels().decode.scratch(context_, head_width_)}, at::kFloat);
  last_ = at::empty({batch, width_}, at::kFloat);
  logits_ = at::empty({batch, output_.stride()}, at::kFloat);
  result_ = logits_.narrow(1, 0, vocabulary_);
}

float* Gpt2Decoder::keys_of(Layer& layer, std::int64_t row, std::int64_t head) const {
  const std::int64_t place = slots_[static_cast<std::size_t>(row)] * heads_ + head;
  return data(layer.keys) + place * layer.keys.stride(1);
}

float* Gpt2Decoder::values_of(Layer& layer, std::int64_t row, std::int64_t head) const {
  const std::int64_t place = slots_[static_cast<std::size_t>(row)] * heads_ + head;
  return data(layer.values) + place * layer.values.stride(1);
}

void Gpt2Decoder::embed(const Lines& lines, const std::int64_t* tokens) {
  for (std::int64_t line = 0; line < lines.count; ++line) {
    const std::int64_t token = tokens[lines.first + line];
    if (token < 0 || token >= vocabulary_) {
      throw Error(fmt::format("token {} is outside this model's vocabulary of {}", token, vocabulary_));
    }
    const float* of_token = tokens_.const_data_ptr<float>() + token * width_;
    const float* of_position = positions_.const_data_ptr<float>() + (length_ + lines.column(line)) * width_;
    float* x = data(x_) + line * x_.stride(0);
    for (std::int64_t i = 0; i < width_; ++i) x[i] = of_token[i] + of_position[i];
  }
}

void Gpt2Decoder::normalise(const float* x, std::int64_t stride, std::int64_t lines, const Norm& norm, float* y) const {
  for (std::int64_t line = 0; line < lines; ++line) {
    kernels().decode.normalise(x + line * stride, width_, norm.weight.const_data_ptr<float>(),
                               norm.bias.const_data_ptr<float>(), static_cast<float>(Gpt2::kNormEpsilon),
                               y + line * width_);
  }
}

void Gpt2Decoder::remember(const Lines& lines, Layer& layer) {
  for (std::int64_t line = 0; line < lines.count; ++line) {
    const std::int64_t row = lines.row(line), position = length_ + lines.column(line);
    const float* qkv = data(qkv_) + line * qkv_.stride(0);
    for (std::int64_t head = 0; head < heads_; ++head) {
      const float* key = qkv + width_ + head * head_width_;
      const float* value = key + width_;
      float* to =
          keys_of(layer, row, head) + position / kPanelColumns * layer.keys.stride(2) + position % kPanelColumns;
      for (std::int64_t d = 0; d < head_width_; ++d) to[d * kPanelColumns] = key[d];
      to = values_of(layer, row, head) + position * kPanelColumns;
      for (std::int64_t d = 0; d < head_width_; d += kPanelColumns) {
        std::copy_n(value + d, std::min(kPanelColumns, head_width_ - d), to);
        to += layer.values.stride(2);
      }
    }
  }
}

void Gpt2Decoder::attend(const Lines& lines, Layer& layer) {
  for (std::int64_t line = 0; line < lines.count;) {
    const std::int64_t row = lines.row(line), column = lines.column(line);
    const std::int64_t count = std::min(lines.count - line, lines.time - column);  // those of the same row
    for (std::int64_t head = 0; head < heads_; ++head) {
      kernels().decode.attend({.count = count,
                               .seen = length_ + column + 1,
                               .context = context_,
                               .head_width = head_width_,
                               .queries = data(qkv_) + line * qkv_.stride(0) + head * head_width_,
                               .query_stride = qkv_.stride(0),
                               .keys = keys_of(layer, row, head),
                               .values = values_of(layer, row, head),
                               .output = data(mixed_) + line * width_ + head * head_width_,
                               .output_stride = width_,
                               .scratch = data(scores_)});
    }
    line += count;
  }
}

void Gpt2Decoder::pass(const Lines& lines) {
  const std::int64_t n = lines.count;
  for (Layer& layer : layers_) {
    normalise(data(x_), x_.stride(0), n, layer.attention_norm, data(normed_));
    layer.attention_input.multiply(data(normed_), width_, n, data(qkv_));
    remember(lines, layer);
    attend(lines, layer);
    layer.attention_output.multiply(data(mixed_), width_, n, data(x_), Then::kAdd);
    normalise(data(x_), x_.stride(0), n, layer.mlp_norm, data(normed_));
    layer.mlp_input.multiply(data(normed_), width_, n, data(inner_), Then::kGelu);
    layer.mlp_output.multiply(data(inner_), inner_.stride(0), n, data(x_), Then::kAdd);
  }
}

void Gpt2Decoder::copy_first_row(std::int64_t row) {
  for (Layer& layer : layers_) {
    for (std::int64_t head = 0; head < heads_; ++head) {
      std::copy_n(keys_of(layer, 0, head), panels_of(length_) * layer.keys.stride(2), keys_of(layer, row, head));
      for (std::int64_t panel = 0; panel < layer.values.size(2); ++panel) {
        const std::int64_t begin = panel * layer.values.stride(2);
        std::copy_n(values_of(layer, 0, head) + begin, length_ * kPanelColumns, values_of(layer, row, head) + begin);
      }
    }
  }
  std::copy_n(data(last_), width_, data(last_) + row * width_);
}

at::Tensor Gpt2Decoder::advance(const at::Tensor& tokens) {
  const std::int64_t batch = std::ssize(slots_);
  if (tokens.dim() != 2 || tokens.size(0) != batch || tokens.size(1) < 1 || tokens.scalar_type() != at::kLong) {
    throw Error(fmt::format("a decoder of {} rows was given tokens of another shape", batch));
  }
  const std::int64_t time = tokens.size(1);
  if (time > room()) {
    throw Error(
        fmt::format("{} tokens do not fit into this model's context of {} (data.sequence_length it was made for)",
                    length_ + time, context_));
  }
  const at::Tensor in_order = tokens.contiguous();
  const std::int64_t* ids = in_order.const_data_ptr<std::int64_t>();
  // Variations of one prompt begin alike: it is heard once.
  const bool alike = length_ == 0 && std::equal(ids, ids + (batch - 1) * time, ids + time);
  const std::int64_t rows = alike ? 1 : batch;
  for (std::int64_t first = 0; first < rows * time; first += kLines) {
    const Lines lines{first, std::min(kLines, rows * time - first), time};
    embed(lines, ids);
    pass(lines);
    for (std::int64_t line = 0; line < lines.count; ++line) {
      if (lines.column(line) + 1 < time) continue;
      std::copy_n(data(x_) + line * x_.stride(0), width_, data(last_) + lines.row(line) * width_);
    }
  }
  length_ += time;
  for (std::int64_t row = rows; row < batch; ++row) copy_first_row(row);
  normalise(data(last_), width_, batch, final_norm_, data(last_));
  output_.multiply(data(last_), width_, batch, data(logits_));
  return result_;
}

void Gpt2Decoder::select(const at::Tensor& rows) {
  const at::Tensor in_order = rows.contiguous();
  const std::int64_t* chosen = in_order.const_data_ptr<std::int64_t>();
  std::vector<std::int64_t> kept;
  for (std::int64_t i = 0; i < rows.numel(); ++i) kept.push_back(slots_.at(static_cast<std::size_t>(chosen[i])));
  slots_ = std::move(kept);
  result_ = logits_.narrow(0, 0, rows.numel()).narrow(1, 0, vocabulary_);
}

std::unique_ptr<Decoder> Gpt2::decoder(std::int64_t batch) { return std::make_unique<Gpt2Decoder>(*this, batch); }

}  // namespace etude::models
