#pragma once

#include <vector>

#include "models/gpt2.h"
#include "models/kernels/packed_matrix.h"

namespace etude::models {

/// Decodes on one thread of the processor. Weights are packed and all memory is taken once, when it is made: a token
/// costs no allocation. Each row's logits have the same bits whatever rows are beside it, and however its tokens were
/// divided among calls. Matrices held in bfloat16 are read as such; all else is float32.
class Gpt2Decoder : public Decoder {
 public:
  /// Copies the weights: later changes of `model` do not show.
  Gpt2Decoder(const Gpt2& model, std::int64_t batch);

  at::Tensor advance(const at::Tensor& tokens) override;
  std::int64_t room() const override { return context_ - length_; }
  void reset() override { length_ = 0; }
  void select(const at::Tensor& rows) override;

 private:
  struct Norm {
    at::Tensor weight, bias;
  };
  struct Layer {
    Norm attention_norm;
    PackedMatrix attention_input, attention_output;
    Norm mlp_norm;
    PackedMatrix mlp_input, mlp_output;
    at::Tensor keys;    ///< [batch, heads, panels of positions, width of a head, kPanelColumns]
    at::Tensor values;  ///< [batch, heads, panels of a head's columns, context, kPanelColumns]
  };
  /// Tokens that go through the model together, one a line.
  struct Lines {
    std::int64_t first = 0;  ///< of [batch, time] in that order
    std::int64_t count = 0;
    std::int64_t time = 0;  ///< tokens of each row in this call
    std::int64_t row(std::int64_t line) const { return (first + line) / time; }
    std::int64_t column(std::int64_t line) const { return (first + line) % time; }
  };

  void embed(const Lines& lines, const std::int64_t* tokens);
  void normalise(const float* x, std::int64_t stride, std::int64_t lines, const Norm& norm, float* y) const;
  /// Puts the lines' keys and values into the cache.
  void remember(const Lines& lines, Layer& layer);
  /// Fills mixed_ with what each line's attention finds.
  void attend(const Lines& lines, Layer& layer);
  /// The lines' way through all layers, from and to x_.
  void pass(const Lines& lines);
  /// Makes the cache and the last hidden state of `row` those of row 0.
  void copy_first_row(std::int64_t row);
  float* keys_of(Layer& layer, std::int64_t row, std::int64_t head) const;
  float* values_of(Layer& layer, std::int64_t row, std::int64_t head) const;

  std::int64_t context_, width_, heads_, head_width_, vocabulary_;
  std::int64_t length_ = 0;          ///< tokens in the cache
  std::vector<std::int64_t> slots_;  ///< of each row, its place in the cache
  at::Tensor tokens_, positions_;    ///< embeddings, float32
  std::vector<Layer> layers_;
  Norm final_norm_;
  PackedMatrix output_;

  // Scratch for kLines lines; columns as the products that write them round them up.
  at::Tensor x_, normed_, qkv_, mixed_, inner_, scores_;
  at::Tensor last_;    ///< [batch, width]: the newest hidden state of each row
  at::Tensor logits_;  ///< [batch, vocabulary rounded up]
  at::Tensor result_;  ///< logits_ as far as it is used
};

}  // namespace etude::models
