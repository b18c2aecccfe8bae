#include "framework/train/optimizer.h"

#include <cmath>

#include <ATen/ATen.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <c10/core/GradMode.h>

#include "framework/checkpoint/weights.h"
#include "framework/config/error.h"

namespace etude::train {
namespace {

std::vector<at::Tensor> chosen(const std::vector<at::Tensor>& tensors, const std::vector<std::size_t>& indices) {
  std::vector<at::Tensor> found;
  for (const std::size_t index : indices) found.push_back(tensors[index]);
  return found;
}

/// Decoupled weight decay (Loshchilov & Hutter 2019, Algorithm 2), LibTorch's fused kernel.
class AdamW final : public Optimizer {
 public:
  AdamW(std::vector<models::Parameter> parameters, const TrainOptions& options, parallel::WorkerPool& workers)
      : Optimizer(std::move(parameters), options, workers),
        mean_(zeros_like_masters()),
        mean_square_(zeros_like_masters()) {}

 protected:
  void update_parameter(std::size_t index, at::Tensor& master, const at::Tensor& gradient, double lr,
                        double weight_decay, std::int64_t update) override {
    const at::Tensor count = at::full({}, static_cast<double>(update), at::kFloat);
    at::_fused_adamw_({master}, {gradient}, {mean_[index]}, {mean_square_[index]}, {}, {count}, lr, options_.beta1,
                      options_.beta2, weight_decay, options_.epsilon, /*amsgrad=*/false, /*maximize=*/false);
  }
  void update_together(const Together& all, double lr, double weight_decay) override {
    const std::vector<at::Tensor> counts(all.indices.size(), all.update);
    at::_fused_adamw_(all.masters, all.gradients, chosen(mean_, all.indices), chosen(mean_square_, all.indices), {},
                      counts, lr, options_.beta1, options_.beta2, weight_decay, options_.epsilon, /*amsgrad=*/false,
                      /*maximize=*/false, all.divisor, all.skip);
  }
  std::vector<std::pair<std::string, std::vector<at::Tensor>*>> moments() override {
    return {{"exp_avg", &mean_}, {"exp_avg_sq", &mean_square_}};
  }

 private:
  std::vector<at::Tensor> mean_, mean_square_;
};

/// Stochastic gradient descent with (heavy-ball) momentum, as torch.optim.SGD; weight decay decoupled here too.
class Sgd final : public Optimizer {
 public:
  Sgd(std::vector<models::Parameter> parameters, const TrainOptions& options, parallel::WorkerPool& workers)
      : Optimizer(std::move(parameters), options, workers), momentum_(zeros_like_masters()) {}

 protected:
  void update_parameter(std::size_t index, at::Tensor& master, const at::Tensor& gradient, double lr,
                        double weight_decay, std::int64_t update) override {
    if (weight_decay > 0) master.mul_(1.0 - lr * weight_decay);
    at::_fused_sgd_({master}, {gradient}, buffers({index}), /*weight_decay=*/0.0, options_.momentum, lr,
                    /*dampening=*/0.0, /*nesterov=*/false, /*maximize=*/false, /*is_first_step=*/update == 1);
  }
  void update_together(const Together& all, double lr, double weight_decay) override {
    if (weight_decay > 0) at::_foreach_mul_(all.masters, 1.0 - (1.0 - all.skip) * (lr * weight_decay));
    // The buffers begin at zero, so the first step needs no exception.
    at::_fused_sgd_(all.masters, all.gradients, buffers(all.indices), /*weight_decay=*/0.0, options_.momentum, lr,
                    /*dampening=*/0.0, /*nesterov=*/false, /*maximize=*/false, /*is_first_step=*/false, all.divisor,
                    all.skip);
  }
  std::vector<std::pair<std::string, std::vector<at::Tensor>*>> moments() override {
    return {{"momentum_buffer", &momentum_}};
  }

 private:
  /// Without momentum LibTorch refuses to be given any.
  std::vector<at::Tensor> buffers(const std::vector<std::size_t>& indices) const {
    return options_.momentum > 0 ? chosen(momentum_, indices) : std::vector<at::Tensor>{};
  }

  std::vector<at::Tensor> momentum_;
};

constexpr const char* kUpdates = "updates";

}  // namespace

Optimizer::Optimizer(std::vector<models::Parameter> parameters, const TrainOptions& options,
                     parallel::WorkerPool& workers)
    : options_(options), parameters_(std::move(parameters)), workers_(workers) {
  for (const models::Parameter& parameter : parameters_) {
    // What stays float32 in the model is its own master; what will be held in bfloat16 needs one beside it.
    const bool apart = parameter.decay && options.precision == Precision::kBfloat16;
    const at::Tensor value = parameter.value.detach();
    masters_.push_back(apart ? value.clone() : value);
  }
}

std::vector<at::Tensor> Optimizer::zeros_like_masters() const {
  std::vector<at::Tensor> zeros;
  for (const at::Tensor& master : masters_) zeros.push_back(at::zeros_like(master));
  return zeros;
}

void Optimizer::publish(std::size_t index) {
  if (parameters_[index].value.scalar_type() != at::kFloat) parameters_[index].value.detach().copy_(masters_[index]);
}

void Optimizer::step(const std::vector<at::Tensor>& gradients, double lr, double scale, double scale_apart) {
  ++updates_;
  workers_.run(std::ssize(parameters_), [&](int, std::int64_t i) {
    const c10::NoGradGuard no_gradients;
    const auto index = static_cast<std::size_t>(i);
    at::Tensor& master = masters_[index];
    at::Tensor gradient = gradients[index].view_as(master);
    if (const double factor = parameters_[index].apart ? scale_apart : scale; factor != 1.0) gradient.mul_(factor);
    update_parameter(index, master, gradient, lr, parameters_[index].decay ? options_.weight_decay : 0.0, updates_);
    publish(index);
  });
}

void Optimizer::step_late(const std::vector<at::Tensor>& gradients, double lr, const Divisors& divisors,
                          const at::Tensor& skip) {
  const c10::NoGradGuard no_gradients;
  if (!late_updates_.defined()) late_updates_ = at::full({}, static_cast<double>(updates_), skip.options());
  late_updates_.add_(1);
  for (const auto& [decay, apart] : {std::pair(true, false), {false, false}, {true, true}, {false, true}}) {
    Together all{{}, {}, {}, late_updates_, apart ? divisors.apart : divisors.of_most, skip};
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      if (parameters_[i].decay != decay || parameters_[i].apart != apart) continue;
      all.indices.push_back(i);
      all.masters.push_back(masters_[i]);
      all.gradients.push_back(gradients[i].view_as(masters_[i]));
    }
    if (!all.indices.empty()) update_together(all, lr, decay ? options_.weight_decay : 0.0);
  }
  late_updates_.sub_(skip);

  std::vector<at::Tensor> rounded, exact;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (parameters_[i].value.scalar_type() == at::kFloat) continue;
    rounded.push_back(parameters_[i].value.detach());
    exact.push_back(masters_[i]);
  }
  if (!rounded.empty()) at::_foreach_copy_(rounded, exact, /*non_blocking=*/true);
}

std::int64_t Optimizer::updates() const {
  return late_updates_.defined() ? std::llround(late_updates_.item<float>()) : updates_;
}

models::NamedTensors Optimizer::weights() const {
  models::NamedTensors tensors;
  for (std::size_t i = 0; i < parameters_.size(); ++i) tensors.emplace_back(parameters_[i].name, masters_[i]);
  return tensors;
}

void Optimizer::load_weights(const models::NamedTensors& weights, const std::string& place) {
  checkpoint::copy_by_name(this->weights(), weights, place);
  for (std::size_t i = 0; i < parameters_.size(); ++i) publish(i);
}

models::NamedTensors Optimizer::state() {
  models::NamedTensors tensors{{kUpdates, at::full({1}, updates(), at::kLong)}};
  for (const auto& [moment, values] : moments()) {
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      tensors.emplace_back(moment + "." + parameters_[i].name, (*values)[i]);
    }
  }
  return tensors;
}

void Optimizer::load_state(const models::NamedTensors& saved, const std::string& place) {
  const models::NamedTensors mine = state();
  checkpoint::copy_by_name(mine, saved, place);
  updates_ = mine.front().second.item<std::int64_t>();
  late_updates_.reset();
}

std::unique_ptr<Optimizer> make_optimizer(const std::vector<models::Parameter>& parameters, const TrainOptions& options,
                                          parallel::WorkerPool& workers) {
  switch (options.optimizer) {
    case OptimizerKind::kAdamW:
      return std::make_unique<AdamW>(parameters, options, workers);
    case OptimizerKind::kSgd:
      return std::make_unique<Sgd>(parameters, options, workers);
  }
  throw Error("unknown optimizer");
}

GradientNorms gradient_norms(const std::vector<models::Parameter>& parameters, const std::vector<at::Tensor>& gradients,
                             parallel::WorkerPool& workers) {
  std::vector<double> norms(gradients.size());
  workers.run(std::ssize(gradients), [&](int, std::int64_t i) {
    const c10::NoGradGuard no_gradients;
    norms[static_cast<std::size_t>(i)] = at::linalg_vector_norm(gradients[static_cast<std::size_t>(i)]).item<double>();
  });
  GradientNorms squares;
  for (std::size_t i = 0; i < norms.size(); ++i) {
    (parameters[i].apart ? squares.apart : squares.of_most) += norms[i] * norms[i];
  }
  return {std::sqrt(squares.of_most), std::sqrt(squares.apart)};
}

}  // namespace etude::train
