#include "data/tokenizer/remi_grammar.h"

#include <algorithm>
#include <utility>

namespace etude::data {
namespace {

/// How often one key may be struck at one position.
constexpr std::uint8_t kUnison = 2;

}  // namespace

RemiGrammar::RemiGrammar(std::shared_ptr<const RemiTokens> tokens)
    : tokens_(std::move(tokens)), positions_in_bar_(4 * tokens_->grid.positions_per_beat()) {}

bool RemiGrammar::complete() const { return between_notes() || after_ == After::kEnd; }

bool RemiGrammar::allows_position() const { return between_notes() && last_position_ + 1 < positions_in_bar_; }

bool RemiGrammar::allows(TokenId token) const {
  if (tokens_->pitch.holds(token))
    return (after_ == After::kPosition || after_ == After::kNote) &&
           sounding_[static_cast<std::size_t>(tokens_->pitch_of(token))] < kUnison;
  if (tokens_->velocity.holds(token)) return after_ == After::kPitch;
  if (tokens_->duration.holds(token)) return after_ == After::kVelocity;
  if (tokens_->position.holds(token)) {
    const int position = token - tokens_->position.first;
    return allows_position() && position > last_position_ && position < positions_in_bar_;
  }
  if (tokens_->meter.holds(token)) return after_ == After::kBar;
  if (token == tokens_->bar) return after_ == After::kBos || between_notes();
  if (token == tokens_->eos) return complete();
  return token == tokens_->bos && after_ == After::kNothing;
}

void RemiGrammar::next(std::vector<bool>& allowed) const {
  const auto size = static_cast<TokenId>(tokens_->vocabulary.size());
  allowed.resize(static_cast<std::size_t>(size));
  for (TokenId token = 0; token < size; ++token) allowed[static_cast<std::size_t>(token)] = allows(token);
}

bool RemiGrammar::advance(TokenId token) {
  const bool allowed = allows(token);
  take(token);
  return allowed;
}

void RemiGrammar::take(TokenId token) {
  const RemiTokens& t = *tokens_;
  if (token == t.bar) {
    begin_bar();
  } else if (t.meter.holds(token)) {
    positions_in_bar_ = t.grid.positions_per_bar(token - t.meter.first);
    after_ = After::kMeter;
  } else if (t.position.holds(token)) {
    last_position_ = token - t.position.first;
    sounding_.fill(0);
    after_ = After::kPosition;
  } else if (t.pitch.holds(token) || t.drum.holds(token)) {
    begin_note(token);
  } else if (t.velocity.holds(token)) {
    if (after_ == After::kPitch)
      after_ = After::kVelocity;
    else
      break_off_note();
  } else if (t.duration.holds(token)) {
    if (after_ == After::kVelocity)
      after_ = After::kNote;
    else
      break_off_note();
  } else if (token == t.eos) {
    after_ = After::kEnd;
  } else if (token == t.bos) {
    after_ = After::kBos;
  } else {
    break_off_note();
  }
}

void RemiGrammar::begin_bar() {
  ++bars_;
  last_position_ = -1;
  sounding_.fill(0);
  after_ = After::kBar;
}

void RemiGrammar::begin_note(TokenId token) {
  if (tokens_->pitch.holds(token)) {
    std::uint8_t& times = sounding_[static_cast<std::size_t>(tokens_->pitch_of(token))];
    times = static_cast<std::uint8_t>(std::min<int>(times + 1, kUnison));
  }
  after_ = After::kPitch;
}

/// A token that means nothing here undoes a half-written note and nothing else.
void RemiGrammar::break_off_note() {
  if (after_ == After::kPitch || after_ == After::kVelocity)
    after_ = last_position_ >= 0 ? After::kPosition : After::kMeter;
}

}  // namespace etude::data
