#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "sweep/sampler.h"

namespace etude::sweep {

/// The value that a trial has for this parameter, as the search space's own distribution counts it. Nothing where the
/// trial lacks it, or has a value that this distribution does not know: trials come from other programs, and from sweep
/// files that were changed since. `likely`: where among its parameters to look first.
std::optional<double> value_of(const Trial& trial, const SearchSpace::Entry& entry, std::size_t likely = 0);

/// The loss of a complete trial: less is better, nan counts as the worst there is. For studies of one objective.
double loss_of(const Trial& trial, Direction direction);

/// What samplers learn from, of a study of one objective.
struct Observations {
  /// The best first: those that are complete by their loss, then those pruned or paused, who got further first and by
  /// their last report among those of one step. Alike, the earlier one leads.
  std::vector<const Trial*> ranked;
  std::vector<const Trial*> running;  ///< not paused; by number
};
/// All that is known when trial `asking` is to be suggested; itself left out.
Observations observe(const History& history, std::int64_t asking);

/// Parameters that always exist together: those of one condition. What a sampler that needs all coordinates of a point
/// can treat as one space; groups whose deciding parameters come first are first.
std::vector<std::vector<const SearchSpace::Entry*>> groups(const SearchSpace& space);

}  // namespace etude::sweep
