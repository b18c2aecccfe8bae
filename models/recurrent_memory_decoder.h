#pragma once

#include <limits>

#include "models/gpt2_decoder.h"
#include "models/recurrent_memory_transformer.h"

namespace etude::models {

/// Decodes without end: when a segment is full, what it leaves in the memory behind it becomes the memory before the
/// next, which begins with an empty cache.
class RecurrentMemoryDecoder : public Gpt2Decoder {
 public:
  RecurrentMemoryDecoder(const RecurrentMemoryTransformer& model, std::int64_t batch);

  std::int64_t room() const override { return std::numeric_limits<std::int64_t>::max(); }

 protected:
  std::int64_t prepare(std::int64_t rows) override;
  void copy_first_row(std::int64_t row) override;

 private:
  /// Hears the memory of each row, and with `replace` makes it what it has become.
  void hear_memory(std::int64_t rows, bool replace);
  float* memory(std::int64_t row) const;

  const std::int64_t memory_tokens_, segment_;
  at::Tensor first_;   ///< what a piece begins with, [memory tokens, width]
  at::Tensor memory_;  ///< [slots, memory tokens, width]
};

}  // namespace etude::models
