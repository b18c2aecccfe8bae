#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace etude::train {

/// That a model learns its pieces by heart: what it gained on the music it trains on no longer shows on other music.
/// Losses are nats per token; each is a mean over two evaluations, or over the training steps before these two.
struct Memorising {
  std::int64_t since = 0;      ///< the step that is compared with
  double training_then = 0;    ///< loss in training around that step
  double training_now = 0;     ///< and at the end
  double evaluation_then = 0;  ///< loss on music that is not trained on
  double evaluation_now = 0;

  double gap() const { return evaluation_now - training_now; }
};

/// One sentence with the figures.
std::string in_words(const Memorising& found);

/// Watches the two losses of a run for memorising.
///
/// Like is compared with like: an evaluation with the mean training loss of the lines since the evaluation before it,
/// and means of two such pairs at a time, so that no single noisy one decides. A run memorises when, at its last two
/// evaluations,
///  1. training loss lies below evaluation loss by at least a tenth of evaluation loss, and
///  2. since some two evaluations before, training loss has fallen by at least 5 % and evaluation loss by less than a
///     quarter of that (or has risen). The two that are looked at are those around the best evaluation and those in the
///     middle of the run.
/// So a gap alone is none: one that was there from the start says that the validation pieces are harder; and while both
/// losses fall alike, what is learned is of use elsewhere.
class MemorisingWatch {
 public:
  static constexpr double kGap = 0.1;
  static constexpr double kLearned = 0.05;
  static constexpr double kCarriedOver = 0.25;

  /// A logging step's training loss. One that is not finite is left out.
  void trained(double loss);
  /// An evaluation, with which the steps before it end. One that is not finite, or has none of them, is left out.
  void evaluated(std::int64_t step, double loss);

  /// What holds after the last evaluation, if it does.
  std::optional<Memorising> found() const { return found_; }
  /// Whether it held after any evaluation so far.
  bool ever_found() const { return ever_; }

 private:
  struct Pair {
    std::int64_t step;
    double training;
    double evaluation;
  };
  /// The mean of the pairs `at` and `at` + 1.
  Pair around(std::size_t at) const;
  std::optional<Memorising> compare(std::size_t then) const;

  std::vector<Pair> pairs_;
  std::size_t best_ = 0;  ///< of pairs_, by evaluation loss
  double sum_ = 0;        ///< of training losses since the last evaluation
  std::int64_t count_ = 0;
  std::optional<Memorising> found_;
  bool ever_ = false;
};

}  // namespace etude::train
