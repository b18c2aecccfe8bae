#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "analysis/bootstrap.h"

namespace etude::blind {

using analysis::Interval;

/// The interval of a share at 95 % (Wilson, Probable Inference, 1927, eq. 6), for independent answers. `wins` may be
/// halves: a tie is half a win. Of no answers it is [0, 1].
Interval wilson(double wins, double answers);

/// wins[i][j]: how often i was preferred over j; a tie is half a win for each.
using Wins = std::vector<std::vector<double>>;

/// The strengths b of Bradley and Terry (Rank Analysis of Incomplete Block Designs, 1952) in logarithms, of mean 0: i
/// is preferred over j with probability 1 / (1 + exp(b[j] - b[i])). Maximum likelihood, by Hunter's MM iteration (2004,
/// eq. 3).
struct Strengths {
  std::vector<double> log;
  /// The likelihood has no maximum, as when somebody never lost (Ford 1957). Then half a win and half a loss were added
  /// to every pair that met.
  bool smoothed = false;
};

/// Nothing where some of them never met, not even by way of others: they cannot be ranked.
std::optional<Strengths> bradley_terry(const Wins& wins);

/// Of each, the probability to be preferred over one of the others, drawn blindly.
std::vector<double> expected_rates(const std::vector<double>& log_strengths);

/// The interval at 95 % of what was computed anew from resampled groups (listeners, pieces), `groups` of the scarcest:
/// percentiles of the values that lie the further out the fewer groups there are (analysis::expanded_confidence).
/// Nothing of one group, or of fewer than 20 values.
std::optional<Interval> resampled_interval(std::vector<double> values, std::size_t groups);

/// How likely answers of which `agreed` of `pairs` pairs agree are by chance alone: Cohen's kappa with a chance
/// agreement for which first and second piece are alike, (1 - t)² / 2 + t², t being the share of ties. 1: all agree, 0:
/// chance. Nothing where chance alone agrees always.
std::optional<double> chance_corrected(double agreed, double pairs, double ties);

}  // namespace etude::blind
