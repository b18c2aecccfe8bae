#include "models/line_decoder.h"

#include <algorithm>
#include <numeric>

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include "framework/config/error.h"
#include "models/kernels/kernels.h"

namespace etude::models {

at::Tensor decoder_scratch(std::int64_t lines, std::int64_t columns) { return at::zeros({lines, columns}, at::kFloat); }

at::Tensor decoder_copy(const at::Tensor& weight) {
  return at::empty(weight.sizes(), at::kFloat).copy_(weight.detach());
}

DecoderNorm::DecoderNorm(const at::Tensor& given_weight, const at::Tensor& given_bias, double given_epsilon)
    : weight(decoder_copy(given_weight)), bias(decoder_copy(given_bias)), epsilon(static_cast<float>(given_epsilon)) {}

void DecoderNorm::apply(const float* x, std::int64_t x_stride, std::int64_t lines, float* y,
                        std::int64_t y_stride) const {
  for (std::int64_t line = 0; line < lines; ++line) {
    kernels().decode.normalise(x + line * x_stride, weight.numel(), weight.const_data_ptr<float>(),
                               bias.const_data_ptr<float>(), epsilon, y + line * y_stride);
  }
}

LineDecoder::LineDecoder(std::int64_t batch, std::int64_t width, std::int64_t vocabulary)
    : width_(width), vocabulary_(vocabulary), slots_(static_cast<std::size_t>(batch)) {
  std::iota(slots_.begin(), slots_.end(), 0);
}

void LineDecoder::take_memory(std::int64_t x_columns, std::int64_t logits_columns) {
  x_ = decoder_scratch(kLines, x_columns);
  last_ = decoder_scratch(rows(), width_);
  logits_ = decoder_scratch(rows(), logits_columns);
  result_ = logits_.narrow(1, 0, vocabulary_);
}

void LineDecoder::check(const at::Tensor& tokens) const {
  if (tokens.dim() != 2 || tokens.size(0) != rows() || tokens.size(1) < 1 || tokens.scalar_type() != at::kLong) {
    throw Error(fmt::format("a decoder of {} rows was given tokens of another shape", rows()));
  }
  const std::int64_t time = tokens.size(1), room = this->room();
  if (time > room) {
    throw Error(
        fmt::format("{} tokens do not fit into this model's context of {} (data.sequence_length it was made for)",
                    heard_ + time, heard_ + room));
  }
  const std::int64_t* ids = tokens.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < tokens.numel(); ++i) {
    if (ids[i] >= 0 && ids[i] < vocabulary_) continue;
    throw Error(fmt::format("token {} is outside this model's vocabulary of {}", ids[i], vocabulary_));
  }
}

at::Tensor LineDecoder::advance(const at::Tensor& tokens) {
  const at::Tensor in_order = tokens.contiguous();
  check(in_order);
  const std::int64_t batch = rows(), time = tokens.size(1);
  const std::int64_t* ids = in_order.const_data_ptr<std::int64_t>();
  float* const last = last_.mutable_data_ptr<float>();
  // Variations of one prompt begin alike: it is heard once.
  const bool alike = heard_ == 0 && std::equal(ids, ids + (batch - 1) * time, ids + time);
  const std::int64_t different = alike ? 1 : batch;
  for (std::int64_t done = 0; done < time;) {
    const std::int64_t now = std::min(prepare(different), time - done), lines_in_all = different * now;
    for (std::int64_t first = 0; first < lines_in_all; first += kLines) {
      const Lines lines{first, std::min(kLines, lines_in_all - first), now};
      for (std::int64_t line = 0; line < lines.count; ++line) {
        embed(ids[lines.row(line) * time + done + lines.column(line)], lines.column(line), x(line));
      }
      pass(lines);
      for (std::int64_t line = 0; line < lines.count; ++line) {
        if (lines.column(line) + 1 == now) std::copy_n(x(line), width_, last + lines.row(line) * width_);
      }
    }
    hear(different, now);
    heard_ += now;
    done += now;
  }
  for (std::int64_t row = different; row < batch; ++row) {
    copy_first_row(row);
    std::copy_n(last, width_, last + row * width_);
  }
  predict(last, batch, logits_.mutable_data_ptr<float>());
  return result_;
}

void LineDecoder::remember(const Lines& lines, const at::Tensor& qkv, std::int64_t begin, KeyValueCache& cache) const {
  for (std::int64_t line = 0; line < lines.count; ++line) {
    const float* keys = data(qkv) + line * qkv.stride(0) + width_;
    cache.put(slot(lines.row(line)), begin + lines.column(line), keys, keys + width_);
  }
}

void LineDecoder::select(const at::Tensor& rows) {
  const at::Tensor in_order = rows.contiguous();
  const std::int64_t* chosen = in_order.const_data_ptr<std::int64_t>();
  std::vector<std::int64_t> kept;
  for (std::int64_t i = 0; i < rows.numel(); ++i) kept.push_back(slots_.at(static_cast<std::size_t>(chosen[i])));
  slots_ = std::move(kept);
  result_ = logits_.narrow(0, 0, rows.numel()).narrow(1, 0, vocabulary_);
}

}  // namespace etude::models
