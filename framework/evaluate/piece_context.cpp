#include "framework/evaluate/piece_context.h"

namespace etude::evaluate {

void PieceContext::move_to(std::int64_t piece, std::int64_t tokens) {
  if (piece != piece_ || tokens < taken_) {
    piece_ = piece;
    taken_ = 0;
    grammar_ = pack_.tokenizer().grammar();
    previous_pitch_ = -1;
  }
  if (tokens == taken_) return;
  tokens_.resize(static_cast<std::size_t>(tokens - taken_));
  pack_.read(split_, piece, taken_, tokens_);
  for (const data::TokenId token : tokens_) {
    grammar_->advance(token);
    if (const int pitch = pack_.vocabulary().pitch(token); pitch >= 0) previous_pitch_ = pitch;
  }
  taken_ = tokens;
}

}  // namespace etude::evaluate
