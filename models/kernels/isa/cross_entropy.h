#pragma once

#include "models/kernels/isa/simd.h"

namespace etude::models::ETUDE_ISA {

/// One row of kernels.h's cross_entropy: its loss; the logits become their gradient.
inline double cross_entropy_row(float* logits, std::int64_t vocabulary, std::int64_t target, float smoothing) {
  const std::int64_t whole = vocabulary / kLanes * kLanes;
  Floats most = all(-__builtin_inff()), sums{};
  for (std::int64_t i = 0; i < whole; i += kLanes) {
    const Floats x = load(logits + i);
    most = maximum(most, x);
    sums += x;
  }
  float highest = largest(most), logit_sum = sum(sums);
  for (std::int64_t i = whole; i < vocabulary; ++i) {
    highest = highest < logits[i] ? logits[i] : highest;
    logit_sum += logits[i];
  }
  const float target_logit = logits[target];

  Floats totals{};
  for (std::int64_t i = 0; i < whole; i += kLanes) {
    const Floats e = exponential(load(logits + i) - highest);
    store(logits + i, e);
    totals += e;
  }
  float total = sum(totals);
  if (whole < vocabulary) {
    const std::int64_t rest = vocabulary - whole;
    const Ints hidden = lane_numbers() >= static_cast<std::int32_t>(rest);
    const Floats e = hidden ? Floats{} : exponential(load_some(logits + whole, rest) - highest);
    store_some(logits + whole, e, rest);
    total += sum(e);
  }

  const float inverse = 1.0F / total, even = smoothing / static_cast<float>(vocabulary);
  for (std::int64_t i = 0; i < whole; i += kLanes) store(logits + i, load(logits + i) * inverse - even);
  for (std::int64_t i = whole; i < vocabulary; ++i) logits[i] = logits[i] * inverse - even;
  logits[target] -= 1.0F - smoothing;

  const double log_sum = static_cast<double>(highest) + static_cast<double>(__builtin_logf(total));
  const double likely = log_sum - static_cast<double>(target_logit);
  const double evenly = log_sum - static_cast<double>(logit_sum) / static_cast<double>(vocabulary);
  return (1.0 - static_cast<double>(smoothing)) * likely + static_cast<double>(smoothing) * evenly;
}

inline double cross_entropy(float* logits, std::int64_t rows, std::int64_t vocabulary, const std::int64_t* targets,
                            std::int64_t ignored, float smoothing) {
  double loss = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    float* const own = logits + row * vocabulary;
    if (targets[row] == ignored) {
      std::memset(own, 0, static_cast<std::size_t>(vocabulary) * sizeof(float));
    } else {
      loss += cross_entropy_row(own, vocabulary, targets[row], smoothing);
    }
  }
  return loss;
}

}  // namespace etude::models::ETUDE_ISA
