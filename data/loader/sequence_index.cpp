#include "data/loader/sequence_index.h"

#include <algorithm>

#include <fmt/core.h>

#include "framework/config/error.h"

namespace etude::data {

SequenceIndex::SequenceIndex(const std::vector<Piece>& pieces, std::int64_t sequence_length)
    : sequence_length_(sequence_length), first_{0} {
  if (sequence_length < 2) {
    throw UsageError(fmt::format("data.sequence_length is {}: it must be at least 2", sequence_length));
  }
  for (const Piece& piece : pieces) {
    targets_.push_back(targets_of(piece.tokens));
    first_.push_back(first_.back() + Cut{targets_.back(), sequence_length}.count());
  }
}

SequenceIndex::Place SequenceIndex::find(std::int64_t sequence) const {
  // The last piece that starts at or before it: pieces too short for a sequence share their start with the next.
  const auto after = std::upper_bound(first_.begin(), first_.end(), sequence);
  const auto piece = after - first_.begin() - 1;
  const auto at = static_cast<std::size_t>(piece);
  return {piece, sequence - first_[at], {targets_[at], sequence_length_}};
}

}  // namespace etude::data
