#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "models/kernels/dropout_key.h"
#include "models/kernels/relative_attention.h"

/// What kernels of this folder do, by LibTorch's own kernels: for tensors of a GPU. Each also takes those of the CPU.
///
/// What is dropped is a function of (seed, step, grain, place in the model, element) here too, since the device's
/// generator is seeded anew for each place, but not the same function: a GPU draws other masks than the CPU. One thread
/// at a time may compute on a device.
namespace etude::models::on_gpu {

/// As etude::models::causal_attention(), by the fastest fused kernel that LibTorch has for type and device.
at::Tensor causal_attention(const at::Tensor& qkv, std::int64_t heads, double rate, const DropoutKey* key,
                            std::uint32_t site);

/// As etude::models::relative_attention(), an expression whose scores are all in memory.
at::Tensor relative_attention(const at::Tensor& qkv, const at::Tensor& memory, const at::Tensor& positions,
                              const at::Tensor& content_bias, const at::Tensor& position_bias,
                              const RelativeAttention& how);

/// As etude::models::linear_cross_entropy(), with all logits in memory.
at::Tensor linear_cross_entropy(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& bias,
                                const at::Tensor& targets, double label_smoothing);

/// As etude::models::dropout().
at::Tensor dropout(const at::Tensor& x, double rate, const DropoutKey& key, std::uint32_t site);

}  // namespace etude::models::on_gpu
