#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "analysis/bootstrap.h"
#include "report/grouping.h"

namespace etude::report {

/// What a group of runs came to.
struct GroupFigures {
  std::optional<double> mean;                  ///< of its measured runs
  std::optional<double> deviation;             ///< between seeds; nothing with one
  std::optional<analysis::Interval> interval;  ///< of the mean, over pieces and, where it has several, seeds
};

enum class Verdict { kABetter, kBBetter, kWithinNoise, kTooFewPieces };
std::string in_words(Verdict verdict);

/// From where it is known how far the seed alone moves the metric.
enum class SeedsKnown { kFromBoth, kFromOthers, kNot };

struct Comparison {
  std::size_t a = 0, b = 0;                    ///< groups
  double difference = 0;                       ///< metric of a less that of b; below 0 where a is better
  std::optional<analysis::Interval> interval;  ///< of the difference
  std::size_t pieces = 0;
  std::size_t seeds_a = 0, seeds_b = 0;
  SeedsKnown seeds_known = SeedsKnown::kNot;
  Verdict verdict = Verdict::kWithinNoise;
};

/// Groups that may not be compared.
struct Refused {
  std::size_t a = 0, b = 0;
  std::string reason;
};

struct Compared {
  std::vector<std::optional<analysis::Interval>> runs;  ///< of each run's metric, over pieces
  std::vector<GroupFigures> groups;
  std::vector<std::vector<std::size_t>> tables;  ///< groups that may be compared, the best first; the largest set first
  std::vector<Comparison> comparisons;           ///< of at most kAllPairs groups all pairs; of more the best with all
                                                 ///< others, and neighbours in the order
  std::vector<Refused> refused;                  ///< between sets; of the first set its best stands for all
};
inline constexpr std::size_t kAllPairs = 12;

/// Compares what may be compared. A function of its arguments alone. docs/report.md says what the intervals mean.
Compared compare(const std::vector<Measured>& measured, const Grouping& grouping, const Metric& metric);

}  // namespace etude::report
