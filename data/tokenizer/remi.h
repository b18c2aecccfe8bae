#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/tokenizer/remi_tokens.h"
#include "data/tokenizer/tokenizer.h"

namespace etude::data {

/// REMI (Huang and Yang, Pop Music Transformer, 2020) by MidiTok 3.1.0's rules, token for token:
///   BOS (Bar TimeSig (Position (Pitch Velocity Duration)+)*)+ EOS
/// Every bar tells its time signature. The piece ends with its last note's onset, or with its last change of meter.
class Remi final : public Tokenizer {
 public:
  explicit Remi(const RemiSettings& settings = {});
  /// What to_json() gave. Throws Error (the fact; the caller adds the place).
  static std::unique_ptr<Remi> from_json(const nlohmann::json& description);

  std::string name() const override { return "remi"; }
  const Vocabulary& vocabulary() const override { return tokens_->vocabulary; }
  std::vector<TokenId> encode(const Score& score) const override;
  /// Gives the notes and time signatures that MidiTok's decode gives, for ill-formed sequences too.
  Score decode(std::span<const TokenId> tokens) const override;
  std::unique_ptr<Grammar> grammar() const override;
  std::vector<TokenId> first_bars(std::span<const TokenId> tokens, int bars) const override;
  nlohmann::json to_json() const override;

 private:
  std::shared_ptr<const RemiTokens> tokens_;  ///< shared with grammars, which may outlive the tokenizer
};

}  // namespace etude::data
