#include "models/kernels/cross_entropy.h"

#include <algorithm>

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <ATen/record_function.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/custom_function.h>

#include "framework/config/error.h"
#include "models/kernels/gpu.h"
#include "models/kernels/kernels.h"
#include "models/kernels/linear.h"

namespace etude::models {

namespace {

/// Rows whose logits are alive at once: about 4 MiB of them, which the last cache holds. A function of the vocabulary
/// alone, since sums over rows are cut at these places.
std::int64_t rows_at_once(std::int64_t vocabulary) {
  return std::clamp<std::int64_t>((std::int64_t{1} << 20) / vocabulary, 32, 4096);
}

void check_targets(const at::Tensor& targets, std::int64_t vocabulary) {
  const std::int64_t* values = targets.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < targets.numel(); ++i) {
    if (values[i] == kIgnoredTarget || (values[i] >= 0 && values[i] < vocabulary)) continue;
    throw Error(fmt::format("target {} is not in the vocabulary of {}", values[i], vocabulary));
  }
}

struct LinearCrossEntropy : torch::autograd::Function<LinearCrossEntropy> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& hidden,
                            const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& given_targets,
                            double label_smoothing, bool with_gradients) {
    RECORD_FUNCTION("linear_cross_entropy", {});
    const at::Tensor targets = given_targets.contiguous();
    const std::int64_t rows = hidden.size(0), vocabulary = weight.size(0);
    const bool biased = bias.numel() > 0;
    check_targets(targets, vocabulary);
    const at::ScalarType type = product_type(weight);
    const at::Tensor x = hidden.to(type), matrix = weight.to(type);
    at::Tensor hidden_gradient, weight_gradient, bias_gradient;
    if (with_gradients) {
      hidden_gradient = at::empty_like(hidden);
      weight_gradient = at::zeros(weight.sizes(), weight.options().dtype(at::kFloat));
      bias_gradient = at::zeros_like(bias);
    }

    double loss = 0;
    const std::int64_t step = rows_at_once(vocabulary);
    for (std::int64_t first = 0; first < rows; first += step) {
      const std::int64_t count = std::min(step, rows - first);
      const at::Tensor part = x.narrow(0, first, count);
      at::Tensor logits = at::mm(part, matrix.t()).to(at::kFloat);
      if (biased) logits.add_(bias);
      loss += kernels().cross_entropy(logits.data_ptr<float>(), count, vocabulary,
                                      targets.const_data_ptr<std::int64_t>() + first, kIgnoredTarget,
                                      static_cast<float>(label_smoothing));
      if (!with_gradients) continue;
      if (biased) bias_gradient.add_(logits.sum(0));
      const at::Tensor gradient = logits.to(type);
      hidden_gradient.narrow(0, first, count).copy_(at::mm(gradient, matrix));
      if (type == at::kFloat) {
        weight_gradient.addmm_(gradient.t(), part);
      } else {
        weight_gradient.add_(at::mm(gradient.t(), part));
      }
    }
    if (with_gradients) {
      context->save_for_backward({hidden_gradient, weight_gradient.to(weight.scalar_type()), bias_gradient});
    }
    return at::scalar_tensor(loss, hidden.options().dtype(at::kFloat));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    return {saved[0].mul(gradients[0]), saved[1].mul(gradients[0]), saved[2].mul(gradients[0]), {}, {}, {}};
  }
};

}  // namespace

at::Tensor linear_cross_entropy(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& bias,
                                const at::Tensor& targets, double label_smoothing) {
  if (!hidden.is_cpu()) return on_gpu::linear_cross_entropy(hidden, weight, bias, targets, label_smoothing);
  const bool with_gradients = at::GradMode::is_enabled() && (hidden.requires_grad() || weight.requires_grad());
  // A graph takes no undefined tensors: one without values stands for no bias.
  const at::Tensor given_bias = bias.defined() ? bias : at::empty({0}, hidden.options().dtype(at::kFloat));
  return LinearCrossEntropy::apply(hidden, weight, given_bias, targets, label_smoothing, with_gradients);
}

}  // namespace etude::models
