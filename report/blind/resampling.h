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
  std::vector<std::vector<std::optional<Interval>>> rates;  ///< [a][b]
  std::vector<std::optional<Interval>> expected;            ///< expected_rates() by model
};

/// See win_rates(). `model_of`: the model of each piece.
Resampled resample(const std::vector<Vote>& votes, std::size_t listeners, const std::vector<std::size_t>& model_of,
                   std::size_t models, std::uint64_t seed);

}  // namespace etude::blind
