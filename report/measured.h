#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/bootstrap.h"
#include "report/run.h"

namespace etude::report {

/// What runs are compared by: a ratio of two sums over pieces.
struct Metric {
  std::string name;   ///< as evaluation.json has it
  std::string words;  ///< what it is, for people
  std::string unit;
  const char* below;      ///< what a piece's negative log-likelihood is divided by: a key of its entry
  bool by_token = false;  ///< means something between runs of one tokenization alone
};
/// Throws UsageError with the names that there are.
const Metric& metric_of(const std::string& name);

/// What a run was measured at on one split.
struct Measured {
  const Json* result = nullptr;  ///< in the run's evaluation.json; null where it was not measured there
  std::optional<double> value;   ///< of the metric
  std::string music;             ///< hash of which music it was measured on; empty where that was not recorded
  std::string learned_from;      ///< hash of the pieces it was trained on; empty where that was not recorded
  std::string tokenization;      ///< equal for equal tokens
  double tokens = 0;
  double notes = 0;
  std::vector<std::string> ids;  ///< of the pieces, in order; empty where they were not recorded
  analysis::PieceSums pieces;    ///< in the same order
  std::string why_not;           ///< why it cannot be compared with anything; empty when it can
};

/// `split`: a key of evaluation.json: "test", "test/sliding=768".
Measured measure(const Run& run, const std::string& split, const Metric& metric);

/// Why two runs must not be compared; nothing when they may. Both have an empty `why_not`.
std::optional<std::string> refusal(const Measured& a, const Measured& b, const Metric& metric);

/// Those of "test", "validation" and "train" that most is known of: test where any run was measured there.
std::string usual_split(const std::vector<Run>& runs);

}  // namespace etude::report
