#include "models/transformer_xl_decoder.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/matmul.h>

#include "models/kernels/kernels.h"

namespace etude::models {

namespace {

/// The keys of a memory and of the token itself, as far as a token sees them.
std::int64_t window_of(const TransformerXlOptions& options) {
  return options.same_length ? options.memory : options.memory + 1;
}

}  // namespace

TransformerXlDecoder::TransformerXlDecoder(const TransformerXl& model, std::int64_t batch)
    : TransformerXlDecoder(model, batch,
                           {.kept = window_of(model.options_), .older = 0, .window = window_of(model.options_)}) {}

TransformerXlDecoder::TransformerXlDecoder(const TransformerXl& model, std::int64_t batch, const Sizes& sizes)
    : LineDecoder(batch, model.options_.width, model.vocabulary_size()),
      normalises_before_(model.normalises_before()),
      heads_(model.options_.heads),
      head_width_(width_ / heads_),
      sizes_(sizes),
      distances_(sizes.kept + sizes.older),
      vocabulary_(model.vocabulary_, batch) {
  const at::NoGradGuard no_gradient;
  const auto norm = [](const TransformerXl::Norm& of) {
    return DecoderNorm(of.weight, of.bias, TransformerXl::kNormEpsilon);
  };
  // What is kept moves to the front when the cache is full: seldom enough to cost little.
  const std::int64_t context =
      (2 * sizes.kept + kLines + kPanelColumns) / kPanelColumns * kPanelColumns + kPanelColumns;
  at::Tensor distances = at::arange(distances_ - 1, -1, -1, at::kFloat);
  if (model.options_.clamp_length > 0) distances = distances.clamp_max(model.options_.clamp_length);
  const at::Tensor waves = sinusoids(distances, width_);
  for (std::size_t index = 0; index < model.layers_.size(); ++index) {
    const TransformerXl::Layer &layer = model.layers_[index], &biases = model.layer_with_biases(index);
    const at::Tensor r = at::matmul(waves, decoder_copy(layer.position_keys).t());
    KeyValueCache positions(1, heads_, head_width_, distances_);
    for (std::int64_t i = 0; i < distances_; ++i) positions.put(0, i, data(r) + i * width_, data(r) + i * width_);
    layers_.push_back({.queries_keys_values = PackedMatrix(layer.queries_keys_values.t(), {}),
                       .attention_output = PackedMatrix(layer.attention_output.t(), {}),
                       .attention_norm = norm(layer.attention_norm),
                       .inner = PackedMatrix(layer.inner_weight.t(), layer.inner_bias),
                       .outer = PackedMatrix(layer.outer_weight.t(), layer.outer_bias),
                       .feed_forward_norm = norm(layer.feed_forward_norm),
                       .content_bias = decoder_copy(biases.content_bias),
                       .position_bias = decoder_copy(biases.position_bias),
                       .positions = positions.all_keys()[0],
                       .cache = KeyValueCache(batch, heads_, head_width_, context)});
  }
  normed_ = decoder_scratch(kLines, width_);
  qkv_ = decoder_scratch(kLines, layers_.front().queries_keys_values.stride());
  content_queries_ = decoder_scratch(kLines, width_);
  position_queries_ = decoder_scratch(kLines, width_);
  mixed_ = decoder_scratch(kLines, width_);
  inner_ = decoder_scratch(kLines, layers_.front().inner.stride());
  scores_ = decoder_scratch(
      1, kernels().decode.relative_scratch(context + 2 * sizes.older + 2 * kPanelColumns, distances_, head_width_));
  take_memory(layers_.front().attention_output.stride(), vocabulary_.stride());
}

void TransformerXlDecoder::reset() {
  LineDecoder::reset();
  begin_ = end_ = 0;
}

std::int64_t TransformerXlDecoder::prepare(std::int64_t) {
  const std::int64_t context = layers_.front().cache.context();
  if (end_ + kLines > context) {
    const std::int64_t gone = begin_ / kPanelColumns * kPanelColumns;
    for (Layer& layer : layers_) layer.cache.forget(gone, end_);
    forget(gone);
    begin_ -= gone;
    end_ -= gone;
  }
  return context - end_;
}

void TransformerXlDecoder::hear(std::int64_t, std::int64_t tokens) {
  end_ += tokens;
  begin_ = std::max(begin_, end_ - (sizes_.window - 1));
}

void TransformerXlDecoder::embed(std::int64_t token, std::int64_t, float* x) const {
  std::copy_n(vocabulary_.embedding(token), width_, x);
}

void TransformerXlDecoder::predict(float* hidden, std::int64_t rows, float* logits) {
  vocabulary_.predict(hidden, rows, logits);
}

void TransformerXlDecoder::add_biases(const Lines& lines, const Layer& layer) {
  const float *content = layer.content_bias.const_data_ptr<float>(),
              *position = layer.position_bias.const_data_ptr<float>();
  for (std::int64_t line = 0; line < lines.count; ++line) {
    const float* query = data(qkv_) + line * qkv_.stride(0);
    float *with_content = data(content_queries_) + line * width_,
          *with_position = data(position_queries_) + line * width_;
    for (std::int64_t i = 0; i < width_; ++i) {
      with_content[i] = query[i] + content[i];
      with_position[i] = query[i] + position[i];
    }
  }
}

void TransformerXlDecoder::attend(const Lines& lines, std::size_t index) {
  const Layer& layer = layers_[index];
  add_biases(lines, layer);
  for (std::int64_t line = 0, count = 0; line < lines.count; line += count) {
    const std::int64_t row = slot(lines.row(line)), own = end_ + lines.column(line);
    const std::int64_t begin = std::max(begin_, own + 1 - sizes_.window), seen = own + 1 - begin;
    count = lines.of_row(line);
    for (std::int64_t head = 0; head < heads_; ++head) {
      const std::int64_t place = line * width_ + head * head_width_;
      DecodeKeys before = older(index, row, head);
      if (before.count > 0 && before.count + seen + count - 1 > sizes_.window) {
        // The window leaves the oldest of these, token by token.
        count = 1;
        const std::int64_t hidden = std::clamp<std::int64_t>(before.count + seen - sizes_.window, 0, before.count);
        before.begin += hidden;
        before.count -= hidden;
      }
      kernels().decode.attend_relative({.count = count,
                                        .head_width = head_width_,
                                        .keys = {.keys = layer.cache.keys(row, head),
                                                 .values = layer.cache.values(row, head),
                                                 .context = layer.cache.context(),
                                                 .begin = begin,
                                                 .count = seen},
                                        .older = before,
                                        .most = sizes_.window,
                                        .content_queries = data(content_queries_) + place,
                                        .position_queries = data(position_queries_) + place,
                                        .query_stride = width_,
                                        .positions = data(layer.positions) + head * layer.positions.stride(0),
                                        .distances = distances_,
                                        .output = data(mixed_) + place,
                                        .output_stride = width_,
                                        .scratch = data(scores_)});
    }
  }
}

void TransformerXlDecoder::pass(const Lines& lines) {
  const std::int64_t n = lines.count;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    Layer& layer = layers_[i];
    given(lines, i);
    const float* input = x();
    std::int64_t stride = x_stride();
    const auto normalise = [&](const DecoderNorm& norm) {
      norm.apply(x(), x_stride(), n, data(normed_), width_);
      input = data(normed_);
      stride = width_;
    };
    const auto normalise_sum = [&](const DecoderNorm& norm) { norm.apply(x(), x_stride(), n, x(), x_stride()); };
    if (normalises_before_) normalise(layer.attention_norm);
    layer.queries_keys_values.multiply(input, stride, n, data(qkv_));
    remember(lines, qkv_, end_, layer.cache);
    attend(lines, i);
    layer.attention_output.multiply(data(mixed_), width_, n, x(), Then::kAdd);
    normalises_before_ ? normalise(layer.feed_forward_norm) : normalise_sum(layer.attention_norm);
    layer.inner.multiply(input, stride, n, data(inner_), Then::kRelu);
    layer.outer.multiply(data(inner_), inner_.stride(0), n, x(), Then::kAdd);
    if (!normalises_before_) normalise_sum(layer.feed_forward_norm);
  }
}

void TransformerXlDecoder::copy_first_row(std::int64_t row) {
  for (Layer& layer : layers_) layer.cache.copy(slot(0), slot(row), end_);
}

std::unique_ptr<Decoder> TransformerXl::decoder(std::int64_t batch) {
  return std::make_unique<TransformerXlDecoder>(*this, batch);
}

}  // namespace etude::models
