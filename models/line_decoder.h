#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "models/kernels/key_value_cache.h"
#include "models/model.h"

namespace etude::models {

/// Copies of layer normalisation's weights.
struct DecoderNorm {
  at::Tensor weight, bias;  ///< [width], float32
  float epsilon = 0;

  DecoderNorm() = default;
  DecoderNorm(const at::Tensor& given_weight, const at::Tensor& given_bias, double given_epsilon);
  /// Normalises lines of x; y may be x.
  void apply(const float* x, std::int64_t x_stride, std::int64_t lines, float* y, std::int64_t y_stride) const;
};

/// What decoders have in common: tokens go through the layers in lines, as many together as use each weight often while
/// it is in the cache, on one thread of the processor. Weights are packed and all memory is taken once, when a decoder
/// is made: a token costs no allocation. Each row's logits have the same bits whatever rows are beside it, and however
/// its tokens were divided among calls. Matrices held in bfloat16 are read as such; all else is float32.
class LineDecoder : public Decoder {
 public:
  at::Tensor advance(const at::Tensor& tokens) final;
  void reset() override { heard_ = 0; }
  void select(const at::Tensor& rows) final;

 protected:
  static constexpr std::int64_t kLines = 96;

  /// Some of [rows, time] in that order, one a line.
  struct Lines {
    std::int64_t first = 0;
    std::int64_t count = 0;
    std::int64_t time = 0;
    std::int64_t row(std::int64_t line) const { return (first + line) / time; }
    std::int64_t column(std::int64_t line) const { return (first + line) % time; }
    /// How many lines from this one on are of its row.
    std::int64_t of_row(std::int64_t line) const { return std::min(count - line, time - column(line)); }
  };

  LineDecoder(std::int64_t batch, std::int64_t width, std::int64_t vocabulary);

  /// Makes ready for the next tokens of the first `rows` rows, and says how many there may be until the next time.
  virtual std::int64_t prepare(std::int64_t rows) = 0;
  /// Writes into x what line `line` of the tokens that prepare() allowed begins with; `column` counts from there.
  virtual void embed(std::int64_t token, std::int64_t column, float* x) const = 0;
  /// The lines' way through all layers, from and to x_.
  virtual void pass(const Lines& lines) = 0;
  /// The first `rows` rows have heard so many tokens more.
  virtual void hear(std::int64_t rows, std::int64_t tokens) = 0;
  /// Makes what is remembered of `row` that of row 0.
  virtual void copy_first_row(std::int64_t row) = 0;
  /// Logits [rows, stride of logits] of the last hidden states [rows, width]; may overwrite these.
  virtual void predict(float* hidden, std::int64_t rows, float* logits) = 0;
  /// To be called by the constructor when the sizes are known: columns that products write, which they round up.
  void take_memory(std::int64_t x_columns, std::int64_t logits_columns);

  float* x(std::int64_t line = 0) const { return x_.mutable_data_ptr<float>() + line * x_.stride(0); }
  std::int64_t x_stride() const { return x_.stride(0); }
  /// Puts the lines' keys and values into a cache whose first `begin` positions are taken; `qkv` holds those of a line
  /// in a row, behind its queries.
  void remember(const Lines& lines, const at::Tensor& qkv, std::int64_t begin, KeyValueCache& cache) const;
  /// Float32 values of scratch and weights.
  static float* data(const at::Tensor& tensor) { return tensor.mutable_data_ptr<float>(); }
  /// Where what is remembered of a row stands.
  std::int64_t slot(std::int64_t row) const { return slots_[static_cast<std::size_t>(row)]; }
  std::int64_t rows() const { return static_cast<std::int64_t>(slots_.size()); }

  const std::int64_t width_;
  std::int64_t heard_ = 0;  ///< tokens of each row

 private:
  void check(const at::Tensor& tokens) const;

  const std::int64_t vocabulary_;
  std::vector<std::int64_t> slots_;
  at::Tensor x_;       ///< [kLines, columns]
  at::Tensor last_;    ///< [batch, width]: the newest hidden state of each row
  at::Tensor logits_;  ///< [batch, columns]
  at::Tensor result_;  ///< logits_ as far as it is used
};

/// Float32 scratch for lines of so many columns, and a float32 copy of a weight.
at::Tensor decoder_scratch(std::int64_t lines, std::int64_t columns);
at::Tensor decoder_copy(const at::Tensor& weight);

}  // namespace etude::models
