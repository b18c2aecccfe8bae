#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace etude::models {

/// What no loss is taken of.
constexpr std::int64_t kIgnoredTarget = -100;

/// The sum over rows of the cross entropy of softmax(hidden weight^T + bias), as at::cross_entropy_loss(..., Sum) of
/// linear(hidden, weight^T, bias) gives it, float32 scalar. `hidden` [rows, width]; `weight` [vocabulary, width],
/// float32 or bfloat16 (see linear()); `bias` [vocabulary], or undefined; `targets` int64 [rows], kIgnoredTarget for
/// none.
///
/// The logits are never all in memory: some rows at a time become gradients as soon as they are there, and with them
/// the parts of the gradients of hidden and weight. So backward only has to scale. On a GPU they are, and LibTorch does
/// it all. Throws Error for a target that is not in the vocabulary.
at::Tensor linear_cross_entropy(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& bias,
                                const at::Tensor& targets, double label_smoothing);

}  // namespace etude::models
