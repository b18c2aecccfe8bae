#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace etude::parallel {

/// to[i] = from[i], for a contiguous tensor of any float type on the CPU.
void copy_as_float(float* to, const at::Tensor& from);
/// to[i] += from[i], likewise.
void add_as_float(float* to, const at::Tensor& from);

/// sum[i] = left[i] + right[i]. `sum` may be `left`; other overlap is not allowed.
void add(float* sum, const float* left, const float* right, std::int64_t values);

}  // namespace etude::parallel
