#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/shard/pack.h"

namespace etude::evaluate {

/// What stands before a token in its piece: where the grammar is there, and the note before. Going on in a piece costs
/// the tokens gone by, going back begins the piece anew.
class PieceContext {
 public:
  PieceContext(const data::Pack& pack, data::Split split) : pack_(pack), split_(split) {}

  /// Takes the first `tokens` tokens of a piece.
  void move_to(std::int64_t piece, std::int64_t tokens);

  /// allowed[id]: whether the token may come next.
  void next(std::vector<bool>& allowed) const { grammar_->next(allowed); }
  /// MIDI key of the last note begun; -1 before the first.
  int previous_pitch() const { return previous_pitch_; }

 private:
  const data::Pack& pack_;
  data::Split split_;
  std::int64_t piece_ = -1;
  std::int64_t taken_ = 0;
  std::unique_ptr<data::Grammar> grammar_;
  int previous_pitch_ = -1;
  std::vector<data::TokenId> tokens_;
};

}  // namespace etude::evaluate
