#include "framework/train/updater.h"

namespace etude::train {
namespace {

/// What gradients are multiplied by so that their norm is at most `clip`, as torch.nn.utils.clip_grad_norm_ does.
double clip_scale(double norm, double clip) { return clip > 0 && norm > clip ? clip / (norm + 1e-6) : 1.0; }

class PromptUpdater : public Updater {
 public:
  PromptUpdater(Optimizer& optimizer, comm::Communicator& communicator, parallel::WorkerPool& workers, double clip)
      : optimizer_(optimizer), communicator_(communicator), workers_(workers), clip_(clip) {}

  std::vector<StepOutcome> end_step(const StepOutcome& step, const StepEnd& end) override {
    StepOutcome outcome = step;
    outcome.facts = agree(communicator_, end.own);
    const GradientNorms norms = gradient_norms(optimizer_.parameters(), end.gradients, workers_);
    outcome.norm = norms.of_most;
    outcome.norm_apart = norms.apart;
    if (outcome.usable()) {
      optimizer_.step(end.gradients, step.lr, clip_scale(norms.of_most, clip_), clip_scale(norms.apart, clip_));
    }
    return {outcome};
  }
  std::vector<StepOutcome> rest() override { return {}; }

 private:
  Optimizer& optimizer_;
  comm::Communicator& communicator_;
  parallel::WorkerPool& workers_;
  const double clip_;
};

}  // namespace

std::unique_ptr<Updater> make_updater(Optimizer& optimizer, comm::Communicator& communicator,
                                      parallel::WorkerPool& workers, double clip) {
  return std::make_unique<PromptUpdater>(optimizer, communicator, workers, clip);
}

}  // namespace etude::train
