#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sweep/controller.h"

namespace etude::sweep {

/// What trials cost while they run, of when they ran and what they occupied.
class Spending {
 public:
  explicit Spending(const Budget& budget) : budget_(budget) {}

  /// Replaces what was known of this trial's stints.
  void note(std::int64_t number, const std::vector<Stint>& stints);

  /// All stints; the open ones last until `now`. Without trials and wall.
  Spent spent(double now) const;

  /// Seconds for which what `together` names may be occupied before a bound is reached; negative for no bound, 0 once
  /// one is reached. `wall`: seconds used of that bound.
  double allowance(double now, double wall, const Worker& together) const;

  /// "budget: 64 GPU-hours", or empty while none is reached.
  std::string exhausted(double now, double wall) const;

 private:
  Budget budget_;
  std::map<std::int64_t, Spent> closed_of_;  ///< of each trial's stints that are over
  Spent closed_;                             ///< of all of them
  std::map<std::int64_t, Stint> open_;       ///< at most one of each trial
};

}  // namespace etude::sweep
