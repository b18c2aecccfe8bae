#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/grouping.h"
#include "report/prices.h"
#include "report/run.h"

namespace etude::report {

struct Cost {
  std::optional<double> core_hours;
  std::optional<double> gpu_hours;
  std::optional<double> money;
  std::string currency;
};

/// By the job's own account where `etude launch` started the run; else the seconds that it trained, times the cores or
/// GPUs that environment.json tells of. Prices that are given count for all runs, what their jobs cost notwithstanding,
/// so that all are counted alike.
Cost cost_of(const Run& run, const Prices& prices);

/// What training one run of a configuration took.
struct Effort {
  double seconds = 0;
  Cost cost;
};
/// On average over those of its runs that were measured, or over all where none was; of the cost, what is known of each
/// of them. `costs` are those of `runs`.
Effort effort_of(const Group& group, const std::vector<Run>& runs, const std::vector<Cost>& costs);

/// "12.30 USD", "3.5 GPU-hours", "0.21 core-hours"; empty when nothing is known.
std::string in_words(const Cost& cost);

}  // namespace etude::report
