#include "models/kernels/gelu.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include "models/kernels/kernels.h"
#include "models/kernels/memory.h"

namespace etude::models {

namespace {

constexpr std::int64_t kValuesPerTask = 1 << 14;

struct Gelu : torch::autograd::Function<Gelu> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& given) {
    RECORD_FUNCTION("gelu", {});
    const at::Tensor x = given.contiguous(), y = at::empty_like(x);
    context->save_for_backward({x});
    at::parallel_for(0, x.numel(), kValuesPerTask, [&](std::int64_t begin, std::int64_t end) {
      kernels().gelu_forward[type_index(x)](address(x, begin), address(y, begin), end - begin);
    });
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const at::Tensor x = context->get_saved_variables()[0];
    const at::Tensor y_gradient = gradients[0].to(x.scalar_type()).contiguous(), x_gradient = at::empty_like(x);
    at::parallel_for(0, x.numel(), kValuesPerTask, [&](std::int64_t begin, std::int64_t end) {
      kernels().gelu_backward[type_index(x)](address(x, begin), address(y_gradient, begin), address(x_gradient, begin),
                                             end - begin);
    });
    return {x_gradient};
  }
};

}  // namespace

at::Tensor gelu(const at::Tensor& x) {
  if (!x.is_cpu()) return at::gelu(x, "tanh");
  check_type(x, "gelu");
  return Gelu::apply(x);
}

}  // namespace etude::models
