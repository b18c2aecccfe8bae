#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "report/blind/statistics.h"

namespace etude::blind {

/// An answer as numbers: who gave it, which pieces of which models were compared, and what a got of it.
struct Vote {
  std::size_t listener = 0;
  std::size_t piece_a = 0;  ///< counted over all models
  std::size_t piece_b = 0;
  std::size_t a = 0;  ///< model, a < b
  std::size_t b = 0;
  double score = 0.5;  ///< 1 where a was preferred, 0 where b was, ½ for neither
};

/// wins of all votes, each weighted; no weights: each counts once.
Wins wins_of(const std::vector<Vote>& votes, std::size_t models, const std::vector<double>& weights = {});

struct Resampled {
  std::vector<std::vector<std::optional<Interval>>> rates;  ///< [a][b]: how often a is preferred over b
  std::vector<std::optional<Interval>> expected;            ///< expected_rates() by model
};

/// Intervals that hold for other listeners and other pieces. Listeners, the pieces of each model, pairs of pieces and
/// single answers are drawn anew by turns, a bootstrap of one kind of cluster at a time. Then the squares of the
/// half-lengths for listeners and for pieces add, less what was counted twice: pairs of pieces, and single answers
/// (Cameron, Gelbach and Miller, Robust Inference with Multiway Clustering, 2011, section 2; a listener hears a piece
/// against one model about once). Drawing all at once would count the chance of a single answer seven times (Owen 2007).
/// `model_of`: the model of each piece.
Resampled resample(const std::vector<Vote>& votes, std::size_t listeners, const std::vector<std::size_t>& model_of,
                   std::size_t models, std::uint64_t seed);

}  // namespace etude::blind
