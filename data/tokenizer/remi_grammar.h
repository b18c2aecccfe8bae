#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "data/tokenizer/remi_tokens.h"
#include "data/tokenizer/tokenizer.h"

namespace etude::data {

/// The order in which Remi::encode writes tokens, and no more than that: time only goes forward, a position lies inside
/// its bar, holds at least one note, and no key more than twice (two voices meeting on one note; no real piece has
/// more). A piece that has ended can only go on with EOS.
class RemiGrammar final : public Grammar {
 public:
  explicit RemiGrammar(std::shared_ptr<const RemiTokens> tokens);

  std::unique_ptr<Grammar> clone() const override { return std::make_unique<RemiGrammar>(*this); }
  void next(std::vector<bool>& allowed) const override;
  bool advance(TokenId token) override;
  int bars() const override { return bars_; }
  bool complete() const override;

 private:
  enum class After { kNothing, kBos, kBar, kMeter, kPosition, kPitch, kVelocity, kNote, kEnd };

  bool allows(TokenId token) const;
  bool allows_position() const;
  bool between_notes() const { return after_ == After::kMeter || after_ == After::kNote; }
  void take(TokenId token);
  void begin_bar();
  void begin_note(TokenId token);
  void break_off_note();

  std::shared_ptr<const RemiTokens> tokens_;
  After after_ = After::kNothing;
  int bars_ = 0;
  int last_position_ = -1;
  int positions_in_bar_ = 0;
  std::array<std::uint8_t, kPitches> sounding_{};  ///< how often each key was struck at this position
};

}  // namespace etude::data
