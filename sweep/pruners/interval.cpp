#include "sweep/pruners/interval.h"

#include <limits>

namespace etude::sweep {

void Interval::describe(config::Section& section) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / 2;
  section.integer("warmup_steps", warmup_steps, {0, kMost}, "No trial is judged before this step.");
  section.integer("interval_steps", interval_steps, {1, kMost},
                  "A trial is judged at its first report in each interval of so many steps.");
}

bool Interval::is_due(const Trial& trial) const {
  const std::int64_t step = trial.reports.back().step;
  if (step < warmup_steps) return false;
  const std::int64_t begin = (step - warmup_steps) / interval_steps * interval_steps + warmup_steps;
  return trial.reports.size() < 2 || trial.reports[trial.reports.size() - 2].step < begin;
}

}  // namespace etude::sweep
