#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "framework/config/error.h"

namespace etude::models {

/// Throws Error naming `kernel` when x is of a type that there is no kernel for.
inline void check_type(const at::Tensor& x, const std::string& kernel) {
  if (x.scalar_type() != at::kFloat && x.scalar_type() != at::kBFloat16) {
    throw Error(kernel + " takes float32 and bfloat16 only");
  }
}

/// Which kernel of a pair in Kernels takes this type.
inline std::size_t type_index(const at::Tensor& x) { return x.scalar_type() == at::kBFloat16 ? 1 : 0; }

/// Where element `at` of a contiguous tensor stands.
inline char* address(const at::Tensor& x, std::int64_t at) {
  return static_cast<char*>(x.data_ptr()) + at * static_cast<std::int64_t>(x.element_size());
}

/// Memory of a thread that is kept from call to call: fresh pages would cost as much as the products.
inline float* scratch(std::int64_t size) {
  thread_local std::vector<float> buffer;
  if (std::ssize(buffer) < size) buffer.resize(static_cast<std::size_t>(size));
  return buffer.data();
}

}  // namespace etude::models
