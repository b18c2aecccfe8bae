#pragma once

#include <string>
#include <vector>

#include "report/compare.h"
#include "report/cost.h"
#include "report/standing.h"

namespace etude::report {

/// All that sentences are made from.
struct Facts {
  const std::vector<Run>& runs;
  const std::vector<Measured>& measured;
  const Grouping& grouping;
  const Compared& compared;
  const std::vector<Cost>& costs;
  const std::vector<Standing>& standings;
  const Metric& metric;
  const std::string& split;
};

/// One comparison: which is better, by how much, and how sure that is.
std::string sentence_of(const Comparison& comparison, const Facts& facts);

/// What a reader should know before looking at anything else, one fact a sentence.
std::vector<std::string> summary_of(const Facts& facts);

}  // namespace etude::report
