#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "models/kernels/dropout.h"

namespace etude::models {

/// Causal self-attention with dropout of the probabilities (Vaswani et al. 2017, section 3.2; dropout as in GPT-2).
/// `qkv` [batch, time, 3 * width] holds queries, keys and values side by side, each of `heads` heads; the result is
/// [batch, time, width] in the same type (float32 or bfloat16), computed in float32.
///
/// Probabilities are not stored: one block of queries at a time they live in the cache, and backward computes them and
/// the dropout mask again (Dao et al. 2022). The mask is that of dropout() on the probabilities
/// [batch, heads, time, time rounded up to a multiple of 128], and the bits do not depend on the number of threads.
at::Tensor causal_attention(const at::Tensor& qkv, std::int64_t heads, double rate, const DropoutKey* key,
                            std::uint32_t site);

}  // namespace etude::models
