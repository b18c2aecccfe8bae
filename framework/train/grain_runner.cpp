#include "framework/train/grain_runner.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/torch.h>

#include "framework/profile/profile.h"

namespace etude::train {

/// One thread's view of the model. Its leaves have gradients and hooks of their own.
struct GrainRunner::Worker {
  std::unique_ptr<models::Model> replica;  ///< null for the first worker, which uses the model itself
  models::Model* model = nullptr;
  std::int64_t grain = 0;   ///< the one being computed, by its index in the global batch
  std::vector<bool> given;  ///< parameters whose gradient of this grain has gone to the reducer
  bool finite = true;       ///< whether all of them were
};

namespace {

/// Called by autograd when a leaf's gradient of one backward pass is complete (all its uses summed): the earliest
/// moment a bucket can travel. The gradient is given away and dropped, so that it never accumulates from grain to
/// grain.
class Forward final : public torch::autograd::PostAccumulateGradHook {
 public:
  explicit Forward(std::function<void(const at::Tensor&)> take) : take_(std::move(take)) {}
  void operator()(const torch::autograd::Variable& leaf) override {
    take_(leaf.grad().contiguous());
    leaf.mutable_grad().reset();
  }

 private:
  std::function<void(const at::Tensor&)> take_;
};

/// The loader's numbers as a tensor, [rows, columns], without a copy.
at::Tensor view(const std::vector<std::int64_t>& values, const data::TokenGrid& grain) {
  return torch::from_blob(const_cast<std::int64_t*>(values.data()), {grain.rows, grain.columns}, torch::kInt64);
}

struct Tokens {
  at::Tensor inputs, targets;  ///< int64 [rows, columns]
};

/// A memory must not keep what is not finite. Here it becomes zeros then, without the host asking the device whether it
/// is.
void keep_if_finite(models::Memory& memory, const at::Tensor& loss) {
  const at::Tensor finite = loss.isfinite();
  for (at::Tensor& tensor : memory.tensors) tensor = torch::where(finite, tensor, torch::zeros({}, tensor.options()));
}

/// A grain where the model is: on the CPU the loader's memory itself, on a GPU a copy that the host does not wait for.
Tokens tokens_on(const at::Device& device, const data::TokenGrid& grain) {
  const at::Tensor inputs = view(grain.inputs, grain), targets = view(grain.targets, grain);
  if (device.is_cpu()) return {inputs, targets};
  const at::Tensor pinned =
      torch::empty({2, grain.rows, grain.columns}, torch::TensorOptions().dtype(torch::kInt64).pinned_memory(true));
  pinned[0].copy_(inputs);
  pinned[1].copy_(targets);
  const at::Tensor there = pinned.to(device, /*non_blocking=*/true);
  return {there[0], there[1]};
}

}  // namespace

GrainRunner::GrainRunner(models::Model& model, parallel::WorkerPool& workers, parallel::GradientReducer& reducer,
                         Lanes* lanes)
    : workers_(workers), reducer_(reducer), lanes_(lanes) {
  for (int i = 0; i < workers.threads(); ++i) {
    auto worker = std::make_unique<Worker>();
    if (i > 0) worker->replica = model.replica();
    worker->model = i > 0 ? worker->replica.get() : &model;
    const auto& parameters = worker->model->parameters();
    worker->given.resize(parameters.size());
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      auto take = [this, raw = worker.get(), p](const at::Tensor& gradient) {
        // A sum is finite only if all its terms are; gradients whose finite sum overflows are of no use either.
        // On a GPU the host would have to wait for that: there the norm of the sum over all grains must tell.
        if (gradient.is_cpu()) raw->finite = raw->finite && std::isfinite(gradient.sum().item<float>());
        raw->given[p] = true;
        reducer_.add(raw->grain, p, gradient);
      };
      torch::autograd::impl::set_post_acc_grad_hooks(parameters[p].value, std::make_unique<Forward>(std::move(take)));
    }
    models_.push_back(worker->model);
    per_worker_.push_back(std::move(worker));
  }
}

GrainRunner::~GrainRunner() {
  // The first worker's leaves outlive this object and must not call into it.
  for (const models::Parameter& parameter : models_.front()->parameters()) {
    torch::autograd::impl::set_post_acc_grad_hooks(parameter.value, nullptr);
  }
}

std::vector<GrainResult> GrainRunner::run(const data::StepData& data, std::uint64_t seed, double label_smoothing) {
  const bool late = !device_of(*models_.front()).is_cpu();
  std::vector<GrainResult> results(late ? 0 : data.grains.size());
  std::vector<Losses> losses(data.grains.size());
  workers_.run(std::ssize(data.grains), [&](int index, std::int64_t i) {
    const auto grain = static_cast<std::size_t>(i);
    Worker& worker = *per_worker_[static_cast<std::size_t>(index)];
    losses[grain] = compute(worker, data.grains[grain], data.first_grain + i, data, seed, label_smoothing);
    if (late) return;
    GrainResult& result = results[grain];
    const auto& [predictions, memory] = losses[grain];
    result.loss = predictions.item<float>();
    if (memory.defined()) result.memory_loss = memory.item<float>();
    result.finite = worker.finite && std::isfinite(result.loss) && std::isfinite(result.memory_loss.value_or(0));
    if (lanes_ != nullptr && !result.finite) lanes_->forget(data.first_grain + i);
  });
  if (late) late_ = stacked(losses);
  return results;
}

LateResults GrainRunner::stacked(const std::vector<Losses>& losses) {
  std::vector<at::Tensor> predictions, memory;
  for (const Losses& of_grain : losses) {
    predictions.push_back(of_grain.predictions);
    if (of_grain.memory.defined()) memory.push_back(of_grain.memory);
  }
  return {torch::stack(predictions), memory.empty() ? at::Tensor() : torch::stack(memory)};
}

GrainRunner::Losses GrainRunner::compute(Worker& worker, const data::TokenGrid& grain, std::int64_t index,
                                         const data::StepData& data, std::uint64_t seed, double label_smoothing) {
  const auto [inputs, targets] = tokens_on(device_of(*worker.model), grain);
  worker.grain = index;
  worker.finite = true;
  std::fill(worker.given.begin(), worker.given.end(), false);

  const models::DropoutKey key{seed, static_cast<std::uint64_t>(data.step), static_cast<std::uint64_t>(index)};
  std::optional<profile::Span> span(std::in_place, "forward");
  models::Memory empty;
  if (lanes_ == nullptr) empty = worker.model->initial_memory(grain.rows);
  models::Memory& memory = lanes_ != nullptr ? lanes_->memory_for(index, grain) : empty;
  const at::Tensor hidden = worker.model->hidden(inputs, memory, &key);
  const at::Tensor loss = worker.model->loss_sum(hidden, targets, label_smoothing);
  const at::Tensor memory_loss = std::exchange(memory.loss, {});
  const at::Tensor objective = memory_loss.defined() ? loss + memory_loss : loss;
  span.emplace("backward");
  (objective * (1.0 / static_cast<double>(std::max<std::int64_t>(1, data.counted)))).backward();
  if (lanes_ != nullptr && !inputs.is_cpu()) keep_if_finite(memory, objective);

  const auto& parameters = worker.model->parameters();
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    if (!worker.given[p]) reducer_.add(index, p, torch::zeros_like(parameters[p].value));
  }
  return {loss.detach(), memory_loss.defined() ? memory_loss.detach() : memory_loss};
}

float GrainRunner::loss_alone(const data::TokenGrid& grain) const {
  const torch::NoGradGuard no_gradients;
  models::Model& model = *models_.front();
  models::Memory memory = model.initial_memory(grain.rows);
  const auto [inputs, targets] = tokens_on(device_of(model), grain);
  return model.loss_sum(model.hidden(inputs, memory, nullptr), targets, 0.0).item<float>();
}

}  // namespace etude::train
