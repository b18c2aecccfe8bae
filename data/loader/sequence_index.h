#pragma once

#include <cstdint>
#include <vector>

#include "data/loader/cut.h"
#include "data/shard/pack.h"

namespace etude::data {

/// Numbers the sequences of a split, piece by piece. The same in every epoch, since no cut changes their count.
class SequenceIndex {
 public:
  SequenceIndex(const std::vector<Piece>& pieces, std::int64_t sequence_length);

  struct Place {
    std::int64_t piece = 0;
    std::int64_t sequence = 0;  ///< within the piece
    Cut cut;
  };
  Place find(std::int64_t sequence) const;
  std::int64_t size() const { return first_.back(); }
  std::int64_t sequence_length() const { return sequence_length_; }

 private:
  std::int64_t sequence_length_;
  std::vector<std::int64_t> targets_;
  std::vector<std::int64_t> first_;  ///< of each piece, and one past the last
};

}  // namespace etude::data
