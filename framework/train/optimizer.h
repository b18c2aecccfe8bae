#pragma once

#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "framework/parallel/worker_pool.h"
#include "framework/train/options.h"
#include "models/model.h"
#include "models/safetensors.h"

namespace etude::train {

/// Updates weights from summed gradients. Keeps float32 masters of all weights; those that the model holds in bfloat16
/// are written back rounded after each step. Every rank does the same arithmetic on the same bits, tensor by tensor.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// Scales the gradients (flat float32, one per parameter; overwritten) by `scale`, those of parameters that learn
  /// apart by `scale_apart`, and takes a step.
  void step(const std::vector<at::Tensor>& gradients, double lr, double scale, double scale_apart = 1.0);
  /// What gradients are divided by, float32 scalars beside the weights.
  struct Divisors {
    at::Tensor of_most, apart;
  };
  /// The same without asking what the device has found, so that the host need not wait for it: nothing happens where
  /// `skip` is 1, a float32 scalar too.
  void step_late(const std::vector<at::Tensor>& gradients, double lr, const Divisors& divisors, const at::Tensor& skip);

  const std::vector<models::Parameter>& parameters() const { return parameters_; }

  /// The float32 weights under their parameters' names.
  models::NamedTensors weights() const;
  /// Sets masters and model from a checkpoint. Throws Error naming `place` and what is missing or of another shape.
  void load_weights(const models::NamedTensors& weights, const std::string& place);

  /// Running means and the count of updates, as they go into a checkpoint.
  models::NamedTensors state();
  void load_state(const models::NamedTensors& state, const std::string& place);

 protected:
  Optimizer(std::vector<models::Parameter> parameters, const TrainOptions& options, parallel::WorkerPool& workers);

  /// One parameter's update. `update` counts from 1.
  virtual void update_parameter(std::size_t index, at::Tensor& master, const at::Tensor& gradient, double lr,
                                double weight_decay, std::int64_t update) = 0;
  /// The same for several parameters at once.
  struct Together {
    std::vector<std::size_t> indices;
    std::vector<at::Tensor> masters, gradients;
    at::Tensor update;  ///< float32 scalar
    at::Tensor divisor, skip;
  };
  virtual void update_together(const Together& parameters, double lr, double weight_decay) = 0;
  /// Names of the per-parameter running means, such as "exp_avg".
  virtual std::vector<std::pair<std::string, std::vector<at::Tensor>*>> moments() = 0;

  std::vector<at::Tensor> zeros_like_masters() const;
  TrainOptions options_;

 private:
  void publish(std::size_t index);
  std::int64_t updates() const;

  std::vector<models::Parameter> parameters_;
  std::vector<at::Tensor> masters_;
  std::int64_t updates_ = 0;
  at::Tensor late_updates_;  ///< the same count where step_late() keeps it, float32 scalar; undefined before
  parallel::WorkerPool& workers_;
};

/// For a model whose weights are still all float32; call models::set_matrix_dtype afterwards for bfloat16.
std::unique_ptr<Optimizer> make_optimizer(const std::vector<models::Parameter>& parameters, const TrainOptions& options,
                                          parallel::WorkerPool& workers);

/// Euclidean norms of gradients, summed in double in the order of the parameters.
struct GradientNorms {
  double of_most = 0;
  double apart = 0;  ///< over the parameters that learn apart
};
GradientNorms gradient_norms(const std::vector<models::Parameter>& parameters, const std::vector<at::Tensor>& gradients,
                             parallel::WorkerPool& workers);

}  // namespace etude::train
