#pragma once

#include <vector>

#include "models/gpt2.h"
#include "models/kernels/key_value_cache.h"
#include "models/kernels/packed_matrix.h"
#include "models/line_decoder.h"

namespace etude::models {

/// Decodes up to the model's context.
class Gpt2Decoder : public LineDecoder {
 public:
  /// Copies the weights: later changes of `model` do not show.
  Gpt2Decoder(const Gpt2& model, std::int64_t batch);

  std::int64_t room() const override { return context_ - length_; }
  void reset() override;

 protected:
  std::int64_t prepare(std::int64_t) override { return context_ - length_; }
  void embed(std::int64_t token, std::int64_t column, float* x) const override;
  void pass(const Lines& lines) final;
  void hear(std::int64_t, std::int64_t tokens) final { length_ += tokens; }
  void copy_first_row(std::int64_t row) override;
  void predict(float* hidden, std::int64_t rows, float* logits) final;

  /// Of the cache, `column` places after what it holds.
  const float* position(std::int64_t column) const;
  const DecoderNorm& final_norm() const { return final_norm_; }

  std::int64_t length_ = 0;  ///< places of the cache that are taken

 private:
  struct Layer {
    DecoderNorm attention_norm;
    PackedMatrix attention_input, attention_output;
    DecoderNorm mlp_norm;
    PackedMatrix mlp_input, mlp_output;
    KeyValueCache cache;
  };

  /// Fills mixed_ with what each line's attention finds.
  void attend(const Lines& lines, const Layer& layer);

  const std::int64_t context_, heads_, head_width_;
  at::Tensor tokens_, positions_;  ///< embeddings, float32
  std::vector<Layer> layers_;
  DecoderNorm final_norm_;
  PackedMatrix output_;
  at::Tensor normed_, qkv_, mixed_, inner_, scores_;  ///< scratch
};

}  // namespace etude::models
