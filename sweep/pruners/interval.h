#pragma once

#include <cstdint>

#include "framework/config/options.h"
#include "sweep/trial.h"

namespace etude::sweep {

/// At which of its reports a trial is looked at: the first one in each interval, once it is warm.
struct Interval {
  std::int64_t warmup_steps = 0;
  std::int64_t interval_steps = 1;

  void describe(config::Section& section);
  /// Whether the trial's newest report, which there must be, is one to judge by.
  bool is_due(const Trial& trial) const;
};

}  // namespace etude::sweep
