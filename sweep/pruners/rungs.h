#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "sweep/pruner.h"

namespace etude::sweep {

/// Asynchronous successive halving (Li et al. 2018, "A System for Massively Parallel Hyperparameter Tuning") of some
/// of a study's trials. At rung k, the first report at or after step `first` · reduction^k, a trial is compared with
/// all that have come as far, and goes on where it is among the best 1/reduction of them; as long as there are fewer
/// than `reduction`, where it is the best. All of it is read from the reports, so that whoever looks sees the same
/// rungs.
class Rungs {
 public:
  enum class Unit { kStep, kReport };
  struct Options {
    std::int64_t first = 1;
    std::int64_t last = 0;  ///< from this step on nobody is compared; 0 for no such step
    std::int64_t reduction = 4;
    bool resume = true;  ///< who is not among the best waits for others to do worse, instead of ending
    Unit unit = Unit::kStep;
  };
  using Members = std::function<bool(const Trial&)>;

  explicit Rungs(const Options& options) : options_(options) {}

  Verdict judge(const History& history, const Trial& trial, const Members& members) const;
  /// The best of those that wait at the highest rung at which one may go on.
  std::optional<std::int64_t> promote(const History& history, const Members& members) const;

 private:
  /// What a trial has to show at a rung.
  struct Standing {
    std::int64_t number = 0;
    double loss = 0;
    bool waits = false;  ///< here
  };

  std::optional<std::int64_t> step_of(std::size_t rung) const;
  std::int64_t step(const Trial& trial, std::size_t report) const;
  /// For each rung that the trial has come to, which of its reports decides there.
  std::vector<std::size_t> reached(const Trial& trial) const;
  std::vector<Standing> standings(const History& history, std::size_t rung, const Members& members) const;
  /// The worst loss with which one goes on.
  double bar(std::vector<Standing>& standings) const;

  Options options_;
};

}  // namespace etude::sweep
