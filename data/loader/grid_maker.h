#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "data/loader/loader.h"

namespace etude::data {

/// How wide the grid of these sequences is.
std::int64_t columns_for(std::span<const SequenceRef> sequences, std::int64_t sequence_length);

/// Reads sequences and lays them side by side. Not for several threads at once.
class GridMaker {
 public:
  GridMaker(const Vocabulary& vocabulary, ReadTokens read, std::int64_t sequence_length);
  TokenGrid make(std::span<const SequenceRef> sequences);

 private:
  void transpose(std::span<TokenId> tokens, int semitones);

  const Vocabulary& vocabulary_;
  ReadTokens read_;
  std::int64_t sequence_length_;
  TokenId padding_;
  std::vector<TokenId> tokens_;
  std::map<int, std::vector<TokenId>> transposed_;  ///< by semitones, filled as tokens turn up; -1 where unknown
};

}  // namespace etude::data
