#include "data/loader/grid_maker.h"

#include <algorithm>

namespace etude::data {
namespace {

/// Kernels like even sizes, and few different ones.
constexpr std::int64_t kColumnsMultiple = 16;

}  // namespace

std::int64_t columns_for(std::span<const SequenceRef> sequences, std::int64_t sequence_length) {
  std::int64_t longest = 1;  // a grid of padding alone still has a shape that models take
  for (const SequenceRef& sequence : sequences) longest = std::max(longest, sequence.length);
  const std::int64_t rounded = (longest + kColumnsMultiple - 1) / kColumnsMultiple * kColumnsMultiple;
  return std::min(rounded, sequence_length);
}

GridMaker::GridMaker(const Vocabulary& vocabulary, ReadTokens read, std::int64_t sequence_length)
    : vocabulary_(vocabulary),
      read_(std::move(read)),
      sequence_length_(sequence_length),
      padding_(vocabulary.id("PAD_None")) {}

TokenGrid GridMaker::make(std::span<const SequenceRef> sequences) {
  TokenGrid grid;
  grid.rows = std::ssize(sequences);
  grid.columns = columns_for(sequences, sequence_length_);
  grid.inputs.assign(static_cast<std::size_t>(grid.rows * grid.columns), padding_);
  grid.targets.assign(static_cast<std::size_t>(grid.rows * grid.columns), kIgnored);
  grid.sequences.assign(sequences.begin(), sequences.end());
  for (std::int64_t row = 0; row < grid.rows; ++row) {
    const SequenceRef& sequence = sequences[static_cast<std::size_t>(row)];
    if (sequence.length == 0) continue;
    tokens_.resize(static_cast<std::size_t>(sequence.length + 1));
    read_(sequence.piece, sequence.begin, tokens_);
    transpose(tokens_, sequence.semitones);
    std::copy(tokens_.begin(), tokens_.end() - 1, grid.inputs.begin() + row * grid.columns);
    std::copy(tokens_.begin() + 1 + sequence.unmeasured, tokens_.end(),
              grid.targets.begin() + row * grid.columns + sequence.unmeasured);
    grid.counted += sequence.length - sequence.unmeasured;
  }
  return grid;
}

void GridMaker::transpose(std::span<TokenId> tokens, int semitones) {
  if (semitones == 0) return;
  std::vector<TokenId>& table = transposed_[semitones];
  table.resize(static_cast<std::size_t>(vocabulary_.size()), -1);
  for (TokenId& token : tokens) {
    TokenId& known = table.at(static_cast<std::size_t>(token));
    if (known < 0) known = vocabulary_.transposed(token, semitones);
    token = known;
  }
}

}  // namespace etude::data
