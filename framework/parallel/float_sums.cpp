#include "framework/parallel/float_sums.h"

#include <string>

#include <ATen/ops/add.h>

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

float* values_at(const Stretch& stretch) { return stretch.of.mutable_data_ptr<float>() + stretch.at; }

at::Tensor tensor_at(const Stretch& stretch, std::int64_t values) { return stretch.of.narrow(0, stretch.at, values); }

}  // namespace

namespace any_device {

void copy_as_float(const Stretch& to, const at::Tensor& from) {
  tensor_at(to, from.numel()).copy_(from.view({-1}), /*non_blocking=*/true);
}

void add_as_float(const Stretch& to, const at::Tensor& from) {
  tensor_at(to, from.numel()).add_(from.view({-1}).to(at::kFloat));
}

void add(const Stretch& sum, const Stretch& left, const Stretch& right, std::int64_t values) {
  at::Tensor result = tensor_at(sum, values);
  at::add_out(result, tensor_at(left, values), tensor_at(right, values));
}

}  // namespace any_device

void copy_as_float(const Stretch& to, const at::Tensor& from) {
  if (!to.of.is_cpu()) return any_device::copy_as_float(to, from);
  const std::int64_t values = from.numel();
  float* const target = values_at(to);
  with_values(from, [&](const auto* source) {
    for (std::int64_t i = 0; i < values; ++i) target[i] = static_cast<float>(source[i]);
  });
}

void add_as_float(const Stretch& to, const at::Tensor& from) {
  if (!to.of.is_cpu()) return any_device::add_as_float(to, from);
  const std::int64_t values = from.numel();
  float* const target = values_at(to);
  with_values(from, [&](const auto* source) {
    for (std::int64_t i = 0; i < values; ++i) target[i] += static_cast<float>(source[i]);
  });
}

void add(const Stretch& sum, const Stretch& left, const Stretch& right, std::int64_t values) {
  if (!sum.of.is_cpu()) return any_device::add(sum, left, right, values);
  float* const to = values_at(sum);
  const float *const a = values_at(left), *const b = values_at(right);
  for (std::int64_t i = 0; i < values; ++i) to[i] = a[i] + b[i];
}

}  // namespace etude::parallel
