#include "models/recurrent_memory_decoder.h"

#include <algorithm>

#include <ATen/ops/zeros.h>

namespace etude::models {

RecurrentMemoryDecoder::RecurrentMemoryDecoder(const RecurrentMemoryTransformer& model, std::int64_t batch)
    : Gpt2Decoder(model, batch),
      memory_tokens_(model.memory_tokens_),
      segment_(model.segment_),
      first_(decoder_copy(model.first_memory_)),
      memory_(at::zeros({batch, memory_tokens_, width_}, at::kFloat)) {}

float* RecurrentMemoryDecoder::memory(std::int64_t row) const {
  return memory_.mutable_data_ptr<float>() + slot(row) * memory_.stride(0);
}

std::int64_t RecurrentMemoryDecoder::prepare(std::int64_t rows) {
  const std::int64_t full = memory_tokens_ + segment_;
  if (length_ == full) {
    hear_memory(rows, true);
    length_ = 0;
  }
  if (length_ == 0) {
    for (std::int64_t row = 0; heard_ == 0 && row < rows; ++row) {
      std::copy_n(first_.const_data_ptr<float>(), first_.numel(), memory(row));
    }
    hear_memory(rows, false);
  }
  return full - length_;
}

void RecurrentMemoryDecoder::hear_memory(std::int64_t rows, bool replace) {
  const std::int64_t lines_in_all = rows * memory_tokens_;
  for (std::int64_t first = 0; first < lines_in_all; first += kLines) {
    const Lines lines{first, std::min(kLines, lines_in_all - first), memory_tokens_};
    for (std::int64_t line = 0; line < lines.count; ++line) {
      const float* state = memory(lines.row(line)) + lines.column(line) * width_;
      const float* of_position = position(lines.column(line));
      for (std::int64_t i = 0; i < width_; ++i) x(line)[i] = state[i] + of_position[i];
    }
    pass(lines);
    for (std::int64_t line = 0; replace && line < lines.count; ++line) {
      final_norm().apply(x(line), width_, 1, memory(lines.row(line)) + lines.column(line) * width_, width_);
    }
  }
  length_ += memory_tokens_;
}

void RecurrentMemoryDecoder::copy_first_row(std::int64_t row) {
  Gpt2Decoder::copy_first_row(row);
  std::copy_n(memory(0), memory_tokens_ * width_, memory(row));
}

std::unique_ptr<Decoder> RecurrentMemoryTransformer::decoder(std::int64_t batch) {
  if (!remembers()) return Gpt2::decoder(batch);
  return std::make_unique<RecurrentMemoryDecoder>(*this, batch);
}

}  // namespace etude::models
