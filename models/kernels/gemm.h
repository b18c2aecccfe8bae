#pragma once

#include <cstdint>

namespace etude::models {

enum class Transpose { kNo, kYes };

/// A float32 matrix in rows, `stride` elements apart.
struct Matrix {
  float* data;
  std::int64_t stride;
};

/// c [m, n] = alpha * a [m, k] b [k, n] + beta * c, where a and b may be given transposed. For many small products:
/// no tensors are made, and it runs on the calling thread when called inside at::parallel_for.
void gemm(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, float alpha,
          Matrix a, Matrix b, float beta, Matrix c);

}  // namespace etude::models
