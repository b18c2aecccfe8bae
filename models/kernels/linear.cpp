#include "models/kernels/linear.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>

namespace etude::models {

namespace {

bool multiplies_bfloat16(const at::Tensor& weight) {
#ifdef __x86_64__
  static const bool processor = __builtin_cpu_supports("avx512bf16");
#else
  constexpr bool processor = false;
#endif
  return !weight.is_cpu() || processor;
}

}  // namespace

at::ScalarType product_type(const at::Tensor& weight) {
  return weight.scalar_type() == at::kBFloat16 && !multiplies_bfloat16(weight) ? at::kFloat : weight.scalar_type();
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const at::ScalarType type = product_type(weight);
  const at::Tensor rows = x.reshape({-1, x.size(-1)}).to(type);
  const at::Tensor matrix = weight.to(type);
  const at::Tensor product = bias.defined() ? at::addmm(bias.to(type), rows, matrix) : at::mm(rows, matrix);
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape.back() = weight.size(1);
  return product.view(shape);
}

}  // namespace etude::models
