#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "data/loader/plan.h"

namespace etude::data {

/// By how much the sequences of each piece may be transposed.
class Transposition {
 public:
  /// Throws UsageError naming the option when semitones are not two in order, or `where` finds no piece.
  Transposition(const TransposeOptions& options, const std::vector<Piece>& pieces, const Vocabulary& vocabulary);
  /// The semitones for a sequence of a piece, given the random bits drawn for it.
  int draw(std::int64_t piece, std::uint64_t bits) const;

 private:
  std::vector<std::pair<int, int>> bounds_;  ///< of each piece, both included; empty when nothing is transposed
};

}  // namespace etude::data
