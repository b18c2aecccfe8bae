#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace etude::parallel {

/// A stretch of a flat, contiguous float32 tensor, from value `at` on.
struct Stretch {
  const at::Tensor& of;
  std::int64_t at = 0;
};

/// to[i] = from[i], for a contiguous tensor of any float type. On the CPU the calling thread does it at once; on a GPU
/// it is put on the current stream, as all of the following.
void copy_as_float(const Stretch& to, const at::Tensor& from);
/// to[i] += from[i], likewise.
void add_as_float(const Stretch& to, const at::Tensor& from);
/// sum[i] = left[i] + right[i] for so many values. `sum` may be `left`; other overlap is not allowed.
void add(const Stretch& sum, const Stretch& left, const Stretch& right, std::int64_t values);

/// What the above do on a GPU. On the CPU they make tensors on the way, which takes longer, but give the same bits.
namespace any_device {
void copy_as_float(const Stretch& to, const at::Tensor& from);
void add_as_float(const Stretch& to, const at::Tensor& from);
void add(const Stretch& sum, const Stretch& left, const Stretch& right, std::int64_t values);
}  // namespace any_device

}  // namespace etude::parallel
