#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace etude::blind {

/// A piece by the place of its model, and its own place among that model's pieces.
struct Entry {
  std::size_t model = 0;
  std::size_t piece = 0;
  bool operator==(const Entry&) const = default;
};

/// Two pieces of different models, in the order in which they are heard.
struct Comparison {
  Entry first;
  Entry second;
};

using Round = std::vector<Comparison>;

/// How many rounds there are where nobody says: each piece is heard once against every other model, as long as that
/// stays below about half an hour. Always even.
std::size_t default_rounds(const std::vector<std::size_t>& pieces);

/// Which pieces are compared. `pieces`: how many each model has. In a round every pair of models is compared once; over
/// all rounds, of which there must be an even number,
///  - each pair of models is heard as often in one order as in the other,
///  - the pieces of one model are heard equally often, to within one,
///  - no two pieces meet twice, unless there are more rounds than pieces.
/// Throws UsageError for fewer than two models, models without pieces, and odd or no rounds.
std::vector<Round> balanced_design(const std::vector<std::size_t>& pieces, std::size_t rounds, std::uint64_t seed);

}  // namespace etude::blind
