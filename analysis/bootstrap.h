#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace etude::analysis {

/// What one run was measured at on each piece of music. Its metric is the ratio of the two sums: the loss per note is
/// the sum of all pieces' negative log-likelihoods divided by the sum of their notes.
struct PieceSums {
  std::vector<double> above;
  std::vector<double> below;
};
double ratio_of_sums(const PieceSums& pieces);

struct Interval {
  double low = 0;
  double high = 0;
  bool holds(double value) const { return low <= value && value <= high; }
};

/// Fewer pieces than this say too little about how pieces differ for any interval.
inline constexpr std::size_t kFewestPieces = 5;

/// The metric of each run on resampled sets of pieces, [run][resample]: each resample draws as many pieces as there
/// are, with replacement, and the same ones for all runs, so that replicates of two runs can be subtracted (a paired
/// bootstrap; Efron and Tibshirani 1993, section 8.3; for test sets Koehn 2004). All runs have the same pieces in the
/// same order. A function of its arguments alone.
std::vector<std::vector<double>> replicates(std::span<const PieceSums> runs, std::size_t resamples, std::uint64_t seed);

/// How far the seed alone moves the metric: a standard deviation, and from how many degrees of freedom it is known.
struct SeedSpread {
  double deviation = 0;
  std::int64_t freedom = 0;  ///< 0: nothing is known of it
};
/// Pooled over groups of runs whose configurations differ by the seed alone: each group is the metrics of its runs.
SeedSpread pooled_spread(std::span<const std::vector<double>> groups);

/// The interval between two percentiles of the replicates. They lie further out than (1 - confidence) / 2 on either
/// side, as Student's t lies beyond the normal distribution and a sample's variance below that of what it is drawn
/// from; without that the interval for few pieces would be too narrow (the "expanded percentile interval", Hesterberg
/// 2015, section 5.3). Replicates that are no number, since nothing was below the line, do not count. Throws
/// std::invalid_argument for fewer than kFewestPieces pieces, or without any replicate that is a number.
Interval percentile_interval(std::vector<double> replicates, std::size_t pieces, double confidence = 0.95);
/// The confidence that the plain percentile interval has to be asked for, to be that.
double expanded_confidence(std::size_t pieces, double confidence);

/// The quantiles of Student's t that stand for `count` draws of it ((i + 1/2) / count, no chance in their tails), in an
/// order that has nothing to do with theirs. `freedom` is at least 1. A function of its arguments alone.
std::vector<double> student_draws(std::int64_t freedom, std::size_t count);

/// The interval where another seed would have moved the metric too: each replicate is moved by `deviation`, how far
/// seeds move it, times one of `draws`, student_draws() as many as there are replicates. What few pieces ask for widens
/// the pieces' part alone: percentiles further out would mean many times the width where two seeds say how far seeds
/// move. Drawing from the two or three seeds themselves would make it much too narrow (Cameron, Gelbach and Miller
/// 2008). Throws as percentile_interval() does.
Interval interval_with_seeds(std::vector<double> replicates, std::size_t pieces, double deviation,
                             std::span<const double> draws, double confidence = 0.95);

}  // namespace etude::analysis
