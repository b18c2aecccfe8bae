#include "framework/parallel/float_sums.h"

#include <cstring>

#include "framework/config/error.h"

namespace etude::parallel {
namespace {

/// Calls use(pointer to the first value) with the tensor's own type.
template <typename Use>
void with_values(const at::Tensor& tensor, Use use) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return use(tensor.const_data_ptr<float>());
    case at::kBFloat16:
      return use(tensor.const_data_ptr<at::BFloat16>());
    case at::kHalf:
      return use(tensor.const_data_ptr<at::Half>());
    case at::kDouble:
      return use(tensor.const_data_ptr<double>());
    default:
      throw Error(std::string("a gradient of type ") + at::toString(tensor.scalar_type()) + " cannot be summed");
  }
}

}  // namespace

void copy_as_float(float* to, const at::Tensor& from) {
  const std::int64_t values = from.numel();
  with_values(from, [&](const auto* source) {
    for (std::int64_t i = 0; i < values; ++i) to[i] = static_cast<float>(source[i]);
  });
}

void add_as_float(float* to, const at::Tensor& from) {
  const std::int64_t values = from.numel();
  with_values(from, [&](const auto* source) {
    for (std::int64_t i = 0; i < values; ++i) to[i] += static_cast<float>(source[i]);
  });
}

void add(float* sum, const float* left, const float* right, std::int64_t values) {
  for (std::int64_t i = 0; i < values; ++i) sum[i] = left[i] + right[i];
}

}  // namespace etude::parallel
