#pragma once

#include <vector>

#include "models/compressive_transformer.h"
#include "models/transformer_xl_decoder.h"

namespace etude::models {

/// Decodes without end, as the model does when it hears segments of `rate` tokens: at the end of each the oldest
/// hidden states fall out of the memory and become one, whose keys and values are kept apart.
class CompressiveDecoder final : public TransformerXlDecoder {
 public:
  CompressiveDecoder(const CompressiveTransformer& model, std::int64_t batch);

  void reset() override;

 private:
  std::int64_t prepare(std::int64_t rows) override;
  void hear(std::int64_t rows, std::int64_t tokens) override;
  void copy_first_row(std::int64_t row) override;
  void given(const Lines& lines, std::size_t layer) override;
  DecodeKeys older(std::size_t layer, std::int64_t slot, std::int64_t head) const override;
  void forget(std::int64_t positions) override;

  struct Compressed {
    PackedMatrix convolution, keys_values;
    KeyValueCache cache;
    at::Tensor states;  ///< what the layer was given, [slots, positions of the layer's cache, width]
  };
  static Sizes sizes_of(const CompressiveTransformer& model);
  /// Makes the oldest states of each row one.
  void compress(std::int64_t rows);
  /// [width] of [rate, width], in compressed_.
  void compress(const Compressed& layer, const float* states);
  float* states(const Compressed& layer, std::int64_t slot, std::int64_t position) const;

  const std::int64_t memory_, slots_, rate_;
  const Compression compression_;
  std::vector<Compressed> compressed_layers_;
  std::int64_t older_begin_ = 0, older_end_ = 0;  ///< the positions of compressed states
  at::Tensor block_, compressed_, keys_values_;   ///< scratch
};

}  // namespace etude::models
