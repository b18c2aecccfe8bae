#pragma once

#include <optional>
#include <string>
#include <vector>

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

/// What one of several took, of what is known of all of them.
Cost mean(const std::vector<Cost>& costs);

/// "12.30 USD", "3.5 GPU-hours", "0.21 core-hours"; empty when nothing is known.
std::string in_words(const Cost& cost);

}  // namespace etude::report
