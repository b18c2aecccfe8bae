#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "data/loader/loader.h"
#include "framework/parallel/gradient_reducer.h"
#include "framework/parallel/worker_pool.h"
#include "framework/train/lanes.h"
#include "models/model.h"

namespace etude::train {

/// What came of one grain.
struct GrainResult {
  float loss = 0;      ///< summed over its targets, not divided by anything
  bool finite = true;  ///< whether the losses and every gradient are
  /// What forming the memory cost, likewise, where anything is learned from that.
  std::optional<float> memory_loss = std::nullopt;
};

/// The same of all grains where the device has yet to compute it: float32 [grains] on that device.
struct LateResults {
  at::Tensor losses;         ///< undefined on the CPU, where nothing is late
  at::Tensor memory_losses;  ///< undefined where nothing is learned from forming a memory
};

/// Computes forward and backward of the grains of a step, one grain per thread at a time, and hands each gradient to
/// the reducer the moment autograd has it.
class GrainRunner {
 public:
  /// `lanes`: what the grains remember from step to step; without them each begins with an empty memory.
  GrainRunner(models::Model& model, parallel::WorkerPool& workers, parallel::GradientReducer& reducer,
              Lanes* lanes = nullptr);
  ~GrainRunner();

  /// What came of each of data.grains. Gradients are of the loss and the memory's, divided by data.counted, so that
  /// every target of the global batch weighs the same. `seed` is the run's, for dropout. A grain that is not finite
  /// forgets what it remembered.
  ///
  /// On a GPU this returns while the GPU still computes. It gives no results then: late() has what will be known.
  std::vector<GrainResult> run(const data::StepData& data, std::uint64_t seed, double label_smoothing);
  /// Of the last run's grains.
  const LateResults& late() const { return late_; }

  /// The loss of a grain without dropout and without gradients; for finding out what is wrong with it.
  float loss_alone(const data::TokenGrid& grain) const;

  /// The models of the workers, all sharing the weights of the one given; for evaluation.
  const std::vector<models::Model*>& models() const { return models_; }

 private:
  struct Worker;
  struct Losses {
    at::Tensor predictions;
    at::Tensor memory;  ///< undefined where there is none
  };
  static LateResults stacked(const std::vector<Losses>& losses);
  /// Forward and backward of one grain; gives its losses, detached.
  Losses compute(Worker& worker, const data::TokenGrid& grain, std::int64_t index, const data::StepData& data,
                 std::uint64_t seed, double label_smoothing);

  parallel::WorkerPool& workers_;
  parallel::GradientReducer& reducer_;
  std::vector<std::unique_ptr<Worker>> per_worker_;
  std::vector<models::Model*> models_;
  Lanes* lanes_;
  LateResults late_;
};

}  // namespace etude::train
