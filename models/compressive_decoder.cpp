#include "models/compressive_decoder.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

namespace etude::models {

TransformerXlDecoder::Sizes CompressiveDecoder::sizes_of(const CompressiveTransformer& model) {
  const std::int64_t memory = model.options_.memory, all = memory + model.rate_ + model.slots_;
  return {.kept = memory + model.rate_,
          .older = model.slots_,
          .window = model.options_.same_length ? memory + model.slots_ : all};
}

CompressiveDecoder::CompressiveDecoder(const CompressiveTransformer& model, std::int64_t batch)
    : TransformerXlDecoder(model, batch, sizes_of(model)),
      memory_(model.options_.memory),
      slots_(model.slots_),
      rate_(model.rate_),
      compression_(model.compression_) {
  const at::NoGradGuard no_gradient;
  const std::int64_t context = 2 * slots_ / kPanelColumns * kPanelColumns + 2 * kPanelColumns;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    Compressed layer;
    if (compression_ == Compression::kConvolution) {
      layer.convolution = PackedMatrix(model.convolutions_[i].view({width_, width_ * rate_}).t(), model.biases_[i]);
    }
    layer.keys_values = PackedMatrix(model.layers_[i].queries_keys_values.narrow(0, width_, 2 * width_).t(), {});
    layer.cache = KeyValueCache(batch, heads_, head_width_, context);
    layer.states = at::zeros({batch, layers_[i].cache.context(), width_}, at::kFloat);
    compressed_layers_.push_back(std::move(layer));
  }
  block_ = decoder_scratch(1, width_ * rate_);
  compressed_ = decoder_scratch(1, layers_.front().attention_output.stride());
  keys_values_ = decoder_scratch(1, compressed_layers_.front().keys_values.stride());
}

void CompressiveDecoder::reset() {
  TransformerXlDecoder::reset();
  older_begin_ = older_end_ = 0;
}

std::int64_t CompressiveDecoder::prepare(std::int64_t rows) {
  return std::min(TransformerXlDecoder::prepare(rows), rate_ - heard_ % rate_);
}

void CompressiveDecoder::hear(std::int64_t rows, std::int64_t tokens) {
  end_ += tokens;
  if ((heard_ + tokens) % rate_ != 0 || end_ - begin_ <= memory_) return;
  if (slots_ > 0) compress(rows);
  begin_ += rate_;
}

float* CompressiveDecoder::states(const Compressed& layer, std::int64_t slot, std::int64_t position) const {
  return data(layer.states) + slot * layer.states.stride(0) + position * width_;
}

void CompressiveDecoder::given(const Lines& lines, std::size_t layer) {
  for (std::int64_t line = 0; line < lines.count; ++line) {
    std::copy_n(x(line), width_, states(compressed_layers_[layer], slot(lines.row(line)), end_ + lines.column(line)));
  }
}

void CompressiveDecoder::compress(std::int64_t rows) {
  if (older_end_ == compressed_layers_.front().cache.context()) {
    const std::int64_t gone = older_begin_ / kPanelColumns * kPanelColumns;
    for (Compressed& layer : compressed_layers_) layer.cache.forget(gone, older_end_);
    older_begin_ -= gone;
    older_end_ -= gone;
  }
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    Compressed& layer = compressed_layers_[i];
    for (std::int64_t row = 0; row < rows; ++row) {
      compress(layer, states(layer, slot(row), begin_));
      if (normalises_before_) {
        layers_[i].attention_norm.apply(data(compressed_), width_, 1, data(compressed_), width_);
      }
      layer.keys_values.multiply(data(compressed_), width_, 1, data(keys_values_));
      layer.cache.put(slot(row), older_end_, data(keys_values_), data(keys_values_) + width_);
    }
  }
  ++older_end_;
  older_begin_ = std::max(older_begin_, older_end_ - slots_);
}

void CompressiveDecoder::compress(const Compressed& layer, const float* states) {
  float *const block = data(block_), *const to = data(compressed_);
  if (compression_ == Compression::kConvolution) {
    for (std::int64_t k = 0; k < rate_; ++k) {
      for (std::int64_t i = 0; i < width_; ++i) block[i * rate_ + k] = states[k * width_ + i];
    }
    layer.convolution.multiply(block, width_ * rate_, 1, to);
    return;
  }
  const bool largest = compression_ == Compression::kMax;
  std::copy_n(states, width_, to);
  for (std::int64_t k = 1; k < rate_; ++k) {
    for (std::int64_t i = 0; i < width_; ++i) {
      const float x = states[k * width_ + i];
      to[i] = largest ? std::max(to[i], x) : to[i] + x;
    }
  }
  for (std::int64_t i = 0; !largest && i < width_; ++i) to[i] /= static_cast<float>(rate_);
}

DecodeKeys CompressiveDecoder::older(std::size_t layer, std::int64_t slot, std::int64_t head) const {
  const KeyValueCache& cache = compressed_layers_[layer].cache;
  return {.keys = cache.keys(slot, head),
          .values = cache.values(slot, head),
          .context = cache.context(),
          .begin = older_begin_,
          .count = older_end_ - older_begin_};
}

void CompressiveDecoder::forget(std::int64_t positions) {
  for (const Compressed& layer : compressed_layers_) {
    for (std::int64_t slot = 0; slot < layer.states.size(0); ++slot) {
      std::copy(states(layer, slot, positions), states(layer, slot, end_), states(layer, slot, 0));
    }
  }
}

void CompressiveDecoder::copy_first_row(std::int64_t row) {
  TransformerXlDecoder::copy_first_row(row);
  for (Compressed& layer : compressed_layers_) {
    layer.cache.copy(slot(0), slot(row), older_end_);
    std::copy(states(layer, slot(0), 0), states(layer, slot(0), end_), states(layer, slot(row), 0));
  }
}

std::unique_ptr<Decoder> CompressiveTransformer::decoder(std::int64_t batch) {
  return std::make_unique<CompressiveDecoder>(*this, batch);
}

}  // namespace etude::models
