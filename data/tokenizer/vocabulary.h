#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace etude::data {

using TokenId = std::int32_t;

/// MIDI keys are 0..127.
inline constexpr int kPitches = 128;

/// The tokens of a tokenizer in the order of their ids. A token is written family, underscore, value: "Pitch_60",
/// "Bar_None". The family is what precedes the first underscore.
class Vocabulary {
 public:
  Vocabulary() = default;
  /// Throws Error when a token stands twice.
  explicit Vocabulary(std::vector<std::string> tokens);

  std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }
  const std::string& token(TokenId id) const { return tokens_.at(static_cast<std::size_t>(id)); }
  const std::vector<std::string>& tokens() const { return tokens_; }
  std::optional<TokenId> find(std::string_view token) const;
  /// The id of a token that must be there. Throws Error when it is not.
  TokenId id(std::string_view token) const;

  /// Families in the order of their first token.
  const std::vector<std::string>& families() const { return families_; }
  /// Index into families().
  int family(TokenId id) const { return family_of_.at(static_cast<std::size_t>(id)); }
  /// The MIDI key of a Pitch_* token, -1 for every other.
  int pitch(TokenId id) const { return pitch_of_.at(static_cast<std::size_t>(id)); }
  /// The token `semitones` above a Pitch_* token; the token itself for every other. Throws Error when the vocabulary
  /// has no such pitch.
  TokenId transposed(TokenId id, int semitones) const;
  /// Lowest and highest MIDI key that has a Pitch_* token; {0, -1} when there is none.
  std::pair<int, int> pitch_range() const { return pitch_range_; }

 private:
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, TokenId> ids_;
  std::vector<std::string> families_;
  std::vector<int> family_of_;
  std::vector<int> pitch_of_;
  std::array<TokenId, kPitches> id_of_pitch_{};  ///< -1 where the vocabulary has no such pitch
  std::pair<int, int> pitch_range_{0, -1};
};

}  // namespace etude::data
