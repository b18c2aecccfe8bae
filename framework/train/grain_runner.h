#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/loader/loader.h"
#include "framework/parallel/gradient_reducer.h"
#include "framework/parallel/worker_pool.h"
#include "models/model.h"

namespace etude::train {

/// What came of one grain.
struct GrainResult {
  float loss = 0;      ///< summed over its targets, not divided by anything
  bool finite = true;  ///< whether the loss and every gradient are
};

/// Computes forward and backward of the grains of a step, one grain per thread at a time, and hands each gradient to
/// the reducer the moment autograd has it.
class GrainRunner {
 public:
  GrainRunner(models::Model& model, parallel::WorkerPool& workers, parallel::GradientReducer& reducer);
  ~GrainRunner();

  /// What came of each of data.grains. Gradients are of the loss divided by data.counted, so that every target of the
  /// global batch weighs the same. `seed` is the run's, for dropout.
  ///
  /// On a GPU this returns while the GPU still computes. It gives no results then: late_losses() has what will be
  /// known.
  std::vector<GrainResult> run(const data::StepData& data, std::uint64_t seed, double label_smoothing);
  /// On a GPU, the losses of the last run's grains, float32 [grains] on that GPU; undefined on the CPU.
  const at::Tensor& late_losses() const { return late_losses_; }

  /// The loss of a grain without dropout and without gradients; for finding out what is wrong with it.
  float loss_alone(const data::TokenGrid& grain) const;

  /// The models of the workers, all sharing the weights of the one given; for evaluation.
  const std::vector<models::Model*>& models() const { return models_; }

 private:
  struct Worker;
  /// Forward and backward of one grain; gives its loss, detached.
  at::Tensor compute(Worker& worker, const data::TokenGrid& grain, std::int64_t index, const data::StepData& data,
                     std::uint64_t seed, double label_smoothing);

  parallel::WorkerPool& workers_;
  parallel::GradientReducer& reducer_;
  std::vector<std::unique_ptr<Worker>> per_worker_;
  std::vector<models::Model*> models_;
  at::Tensor late_losses_;
};

}  // namespace etude::train
