#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/loader/loader.h"

namespace etude::testing {

/// Pieces of the given numbers of tokens, without music.
inline std::vector<data::Piece> pieces_of(const std::vector<std::int64_t>& lengths) {
  std::vector<data::Piece> pieces;
  for (const std::int64_t tokens : lengths) {
    data::Piece& piece = pieces.emplace_back();
    piece.file = "piece-" + std::to_string(pieces.size() - 1) + ".mid";
    piece.tokens = tokens;
  }
  return pieces;
}

/// A training plan over such pieces.
inline std::unique_ptr<data::Plan> plan_of(data::Order order, const std::vector<std::int64_t>& lengths,
                                           std::int64_t sequence_length, std::int64_t global_batch,
                                           std::uint64_t seed) {
  data::DataOptions options;
  options.sequence_length = sequence_length;
  options.order = order;
  return data::make_training_plan(pieces_of(lengths), data::Vocabulary{}, options, global_batch, seed);
}

/// Music that lies in memory: PAD_None, BOS_None, EOS_None, Bar_None and the pitches 48 to 72.
class MemoryPack {
 public:
  static constexpr int kLowest = 48;
  static constexpr int kHighest = 72;

  static std::vector<std::string> token_names() {
    std::vector<std::string> names{"PAD_None", "BOS_None", "EOS_None", "Bar_None"};
    for (int pitch = kLowest; pitch <= kHighest; ++pitch) names.push_back("Pitch_" + std::to_string(pitch));
    return names;
  }

  /// A piece of the tokens named.
  void add(const std::vector<std::string>& names) {
    data::Piece& piece = pieces_.emplace_back();
    piece.file = "piece-" + std::to_string(pieces_.size() - 1) + ".mid";
    piece.pitch_low = 128;
    for (const std::string& name : names) {
      tokens_.resize(pieces_.size());
      tokens_.back().push_back(vocabulary_.id(name));
      const int pitch = vocabulary_.pitch(tokens_.back().back());
      if (pitch < 0) continue;
      piece.pitch_low = std::min(piece.pitch_low, pitch);
      piece.pitch_high = std::max(piece.pitch_high, pitch);
    }
    piece.tokens = std::ssize(names);
  }

  /// A piece of that many tokens, no two neighbours of which are the same.
  void add_scale(std::int64_t tokens) {
    std::vector<std::string> names;
    for (std::int64_t i = 0; i < tokens; ++i) names.push_back("Pitch_" + std::to_string(55 + (i * 5 + tokens) % 11));
    add(names);
  }

  const data::Vocabulary& vocabulary() const { return vocabulary_; }
  std::vector<data::Piece>& pieces() { return pieces_; }
  const std::vector<data::TokenId>& tokens(std::int64_t piece) const {
    return tokens_.at(static_cast<std::size_t>(piece));
  }
  data::ReadTokens reader() const {
    return [this](std::int64_t piece, std::int64_t begin, std::span<data::TokenId> out) {
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = tokens(piece).at(static_cast<std::size_t>(begin) + i);
    };
  }

 private:
  data::Vocabulary vocabulary_{token_names()};
  std::vector<data::Piece> pieces_;
  std::vector<std::vector<data::TokenId>> tokens_;
};

}  // namespace etude::testing
