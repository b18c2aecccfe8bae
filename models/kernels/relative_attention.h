#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "models/kernels/dropout.h"

namespace etude::models {

/// What relative attention looks at and drops, beside its tensors.
struct RelativeAttention {
  std::int64_t heads = 1;
  /// Of each row, the first key that is there, from 0 to `memory` (below); those before hold nothing.
  std::vector<std::int64_t> first_key{};
  std::int64_t window = 0;  ///< how many keys a query sees, its own included; 0 for all up to its own
  double rate = 0;          ///< with which probabilities are dropped
  const DropoutKey* key = nullptr;
  std::uint32_t site = 0;
};

/// Attention with relative positions over a memory and a segment (Dai et al. 2019, section 3.3): query i of the segment
/// and the key at distance d before it score
///   ((q_i + content_bias) k + (q_i + position_bias) r_d) / sqrt(width of a head).
/// `qkv` [batch, time, 3 * width] holds the segment's queries, keys and values side by side, `memory`
/// [batch, length, 2 * width] the keys and values of what lies before it (length may be 0), `positions`
/// [length + time, width] r of the distances length + time - 1, …, 1, 0; the biases [width]. The result is
/// [batch, time, width] in the type of `qkv`, float32 or bfloat16, computed in float32; the others are brought to it.
///
/// Like causal_attention(), with which it shares its kernel, it stores no probabilities, and the scores of positions
/// exist for one block of queries at a time. Keys before first_key or outside the window cost nothing and may hold
/// anything. Dropout is that of dropout() on probabilities
/// [batch, heads, time, length + time rounded up to a multiple of 128]. Throws Error when the shapes do not fit
/// together.
at::Tensor relative_attention(const at::Tensor& qkv, const at::Tensor& memory, const at::Tensor& positions,
                              const at::Tensor& content_bias, const at::Tensor& position_bias,
                              const RelativeAttention& how);

}  // namespace etude::models
