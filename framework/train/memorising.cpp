#include "framework/train/memorising.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace etude::train {
namespace {

/// Two evaluations now and two then.
constexpr std::size_t kFewestPairs = 4;

}  // namespace

std::string in_words(const Memorising& found) {
  const double change = found.evaluation_now - found.evaluation_then;
  return fmt::format(
      "memorising: since step {} training loss has fallen from {:.3f} to {:.3f}, but the loss on music it does not "
      "train on {} ({:.3f} to {:.3f}), and now lies {:.3f} above",
      found.since, found.training_then, found.training_now,
      change > 0 ? fmt::format("has risen by {:.3f}", change) : fmt::format("has fallen by only {:.3f}", -change),
      found.evaluation_then, found.evaluation_now, found.gap());
}

void MemorisingWatch::trained(double loss) {
  if (!std::isfinite(loss)) return;
  sum_ += loss;
  ++count_;
}

void MemorisingWatch::evaluated(std::int64_t step, double loss) {
  if (!std::isfinite(loss) || count_ == 0) return;
  pairs_.push_back({step, sum_ / static_cast<double>(count_), loss});
  sum_ = 0;
  count_ = 0;
  if (loss < pairs_[best_].evaluation) best_ = pairs_.size() - 1;

  found_.reset();
  if (pairs_.size() < kFewestPairs) return;
  const std::size_t last_then = pairs_.size() - kFewestPairs;  // the newest two that are not also the last two
  found_ = compare(std::min(best_ > 0 ? best_ - 1 : 0, last_then));
  if (!found_) found_ = compare(std::min(pairs_.size() / 2 - 1, last_then));
  ever_ = ever_ || found_.has_value();
}

MemorisingWatch::Pair MemorisingWatch::around(std::size_t at) const {
  const Pair& first = pairs_[at];
  const Pair& second = pairs_[at + 1];
  return {second.step, (first.training + second.training) / 2, (first.evaluation + second.evaluation) / 2};
}

std::optional<Memorising> MemorisingWatch::compare(std::size_t then) const {
  const Pair before = around(then);
  const Pair now = around(pairs_.size() - 2);
  const double learned = before.training - now.training;
  const bool apart = now.evaluation - now.training >= kGap * now.evaluation;
  const bool learns = learned >= kLearned * before.training;
  const bool carried_over = before.evaluation - now.evaluation >= kCarriedOver * learned;
  if (!apart || !learns || carried_over) return std::nullopt;
  return Memorising{before.step, before.training, now.training, before.evaluation, now.evaluation};
}

}  // namespace etude::train
