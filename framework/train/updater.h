#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "framework/comm/communicator.h"
#include "framework/parallel/worker_pool.h"
#include "framework/train/agreement.h"
#include "framework/train/optimizer.h"

namespace etude::train {

/// One step, and once it is known what came of it: the same on every rank.
struct StepOutcome {
  std::int64_t step = 0;     ///< 0 is the first
  std::int64_t counted = 0;  ///< targets of the global batch
  std::int64_t cells = 0;    ///< of its grids, padding included
  std::int64_t tokens = 0;   ///< targets learned from since the run began, those of this step included
  double lr = 0;

  StepFacts facts{};
  double norm = 0;        ///< of the gradient, before clipping
  double norm_apart = 0;  ///< of the gradient of parameters that learn apart

  bool usable() const { return facts.bad_grains == 0 && std::isfinite(norm) && std::isfinite(norm_apart); }
};

/// What this rank brings to the end of a step.
struct StepEnd {
  StepFacts own;                             ///< on a GPU without the losses
  LateResults late;                          ///< on a GPU the losses of this rank's grains
  std::int64_t first_grain = 0;              ///< index, within the global batch, of the first of them
  const std::vector<at::Tensor>& gradients;  ///< summed over all ranks
};

/// Ends a step: the ranks agree on what happened, and unless a loss or the gradient is not finite the weights are
/// updated. On the CPU what came of it is known at once. A GPU is still computing the step when the host has it behind;
/// there the weights are updated or left without the host, which learns of it a step later and never waits in between.
class Updater {
 public:
  virtual ~Updater() = default;
  /// Gives the steps whose outcome has become known by now, the oldest first.
  virtual std::vector<StepOutcome> end_step(const StepOutcome& step, const StepEnd& end) = 0;
  /// Waits for those that are not known yet.
  virtual std::vector<StepOutcome> rest() = 0;
};

/// `clip`: the largest norm of the gradient, and, by itself, of that of parameters that learn apart; 0 does not clip.
std::unique_ptr<Updater> make_updater(Optimizer& optimizer, comm::Communicator& communicator,
                                      parallel::WorkerPool& workers, double clip);
/// For gradients that a GPU computes, or, to try it out, a CPU.
std::unique_ptr<Updater> make_late_updater(Optimizer& optimizer, comm::Communicator& communicator, double clip);

}  // namespace etude::train
