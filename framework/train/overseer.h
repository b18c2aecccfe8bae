#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace etude::train {

/// What a run hears from outside.
enum class Word {
  kGoOn,
  kStop,    ///< write a checkpoint and end; whoever said so may have it go on later
  kFinish,  ///< it has learned enough: its weights are final
};

/// Whoever looks after a run from outside, such as a sweep: is told how the model does, and may call the run off. Every
/// rank has one and rank 0 alone is spoken to; all ranks obey at one step boundary.
class Overseer {
 public:
  virtual ~Overseer() = default;

  /// After an evaluation, with what metrics.jsonl has of it: "eval_loss", …. The answer holds for this very step, so
  /// training waits for it.
  virtual Word evaluated(std::int64_t step, const std::map<std::string, double>& metrics) = 0;

  /// The run is over, and its final weights are those of this step.
  virtual void finished(std::int64_t step) = 0;

  /// What was said meanwhile; asked at each step, so it must not wait.
  virtual Word word() = 0;
};

/// Of ranks that are not spoken to.
class SilentOverseer final : public Overseer {
 public:
  Word evaluated(std::int64_t, const std::map<std::string, double>&) override { return Word::kGoOn; }
  void finished(std::int64_t) override {}
  Word word() override { return Word::kGoOn; }
};

}  // namespace etude::train
