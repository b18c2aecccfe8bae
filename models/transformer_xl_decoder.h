#pragma once

#include <limits>
#include <vector>

#include "models/kernels/decode.h"
#include "models/kernels/key_value_cache.h"
#include "models/kernels/packed_matrix.h"
#include "models/line_decoder.h"
#include "models/packed_vocabulary.h"
#include "models/transformer_xl.h"

namespace etude::models {

/// Decodes without end at the same cost for each token, as the model does when it hears segments of one: a token sees
/// as many before it as the model remembers. Their keys and values are kept, and r of all distances is projected when
/// the decoder is made.
class TransformerXlDecoder : public LineDecoder {
 public:
  /// Copies the weights: later changes of `model` do not show.
  TransformerXlDecoder(const TransformerXl& model, std::int64_t batch);

  std::int64_t room() const final { return std::numeric_limits<std::int64_t>::max(); }
  void reset() override;

 protected:
  struct Layer {
    PackedMatrix queries_keys_values, attention_output;
    DecoderNorm attention_norm;
    PackedMatrix inner, outer;
    DecoderNorm feed_forward_norm;
    at::Tensor content_bias, position_bias;  ///< [width]
    at::Tensor positions;                    ///< r, [heads, panels of distances, width of a head, kPanelColumns]
    KeyValueCache cache;
  };
  /// What models of this family look back at.
  struct Sizes {
    std::int64_t kept;    ///< positions of the cache that are needed at a time, the newest included
    std::int64_t older;   ///< keys before these, at most
    std::int64_t window;  ///< keys that a token sees in all
  };
  TransformerXlDecoder(const TransformerXl& model, std::int64_t batch, const Sizes& sizes);

  std::int64_t prepare(std::int64_t rows) override;
  void embed(std::int64_t token, std::int64_t column, float* x) const final;
  void pass(const Lines& lines) final;
  void hear(std::int64_t rows, std::int64_t tokens) override;
  void copy_first_row(std::int64_t row) override;
  void predict(float* hidden, std::int64_t rows, float* logits) final;

  /// Sees what layer `layer` is given, in x().
  virtual void given(const Lines&, std::size_t) {}
  /// Keys before those in the cache of a layer.
  virtual DecodeKeys older(std::size_t /*layer*/, std::int64_t /*slot*/, std::int64_t /*head*/) const { return {}; }
  /// The first positions of the cache are gone.
  virtual void forget(std::int64_t) {}

  const bool normalises_before_;
  const std::int64_t heads_, head_width_;
  std::vector<Layer> layers_;
  std::int64_t begin_ = 0, end_ = 0;  ///< the positions of the cache that the next token sees

 private:
  void attend(const Lines& lines, std::size_t index);
  void add_biases(const Lines& lines, const Layer& layer);

  const Sizes sizes_;
  const std::int64_t distances_;
  PackedVocabulary vocabulary_;
  at::Tensor normed_, qkv_, content_queries_, position_queries_, mixed_, inner_, scores_;  ///< scratch
};

}  // namespace etude::models
