#include "models/kernels/gemm.h"

#ifdef ETUDE_SGEMM
extern "C" void sgemm_(const char* transpose_a, const char* transpose_b, const int* m, const int* n, const int* k,
                       const float* alpha, const float* a, const int* stride_a, const float* b, const int* stride_b,
                       const float* beta, float* c, const int* stride_c);
#else
#include <ATen/ops/addmm.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#endif

namespace etude::models {

#ifdef ETUDE_SGEMM
// BLAS counts columns first: its transpose of everything is ours.
void gemm(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, float alpha,
          Matrix a, Matrix b, float beta, Matrix c) {
  const auto letter = [](Transpose transpose) { return transpose == Transpose::kYes ? 'T' : 'N'; };
  const char first = letter(transpose_b), second = letter(transpose_a);
  const int rows = static_cast<int>(n), columns = static_cast<int>(m), inner = static_cast<int>(k);
  const int stride_a = static_cast<int>(a.stride), stride_b = static_cast<int>(b.stride),
            stride_c = static_cast<int>(c.stride);
  sgemm_(&first, &second, &rows, &columns, &inner, &alpha, b.data, &stride_b, a.data, &stride_a, &beta, c.data,
         &stride_c);
}
#else
void gemm(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, float alpha,
          Matrix a, Matrix b, float beta, Matrix c) {
  const at::AutoDispatchBelowADInplaceOrView below_autograd;
  const auto view = [](Transpose transpose, Matrix matrix, std::int64_t rows, std::int64_t columns) {
    const bool flip = transpose == Transpose::kYes;
    const std::int64_t strides[] = {flip ? 1 : matrix.stride, flip ? matrix.stride : 1}, sizes[] = {rows, columns};
    return at::from_blob(matrix.data, sizes, strides, at::kFloat);
  };
  at::Tensor out = view(Transpose::kNo, c, m, n);
  at::addmm_out(out, out, view(transpose_a, a, m, k), view(transpose_b, b, k, n), beta, alpha);
}
#endif

}  // namespace etude::models
