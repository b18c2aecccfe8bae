#include "data/tokenizer/vocabulary.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::data {
namespace {

constexpr std::string_view kPitchFamily = "Pitch";

/// The MIDI key in "Pitch_60", -1 for anything else.
int parse_pitch(std::string_view token) {
  if (!token.starts_with(kPitchFamily) || token.size() <= kPitchFamily.size()) return -1;
  const std::string_view value = token.substr(kPitchFamily.size() + 1);
  int pitch = -1;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), pitch);
  const bool whole = error == std::errc{} && end == value.data() + value.size();
  return token[kPitchFamily.size()] == '_' && whole && pitch >= 0 && pitch < kPitches ? pitch : -1;
}

}  // namespace

Vocabulary::Vocabulary(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {
  id_of_pitch_.fill(-1);
  family_of_.reserve(tokens_.size());
  pitch_of_.reserve(tokens_.size());
  for (const std::string& token : tokens_) {
    const auto id = static_cast<TokenId>(family_of_.size());
    if (const auto [earlier, fresh] = ids_.emplace(token, id); !fresh)
      throw Error(fmt::format("the vocabulary holds '{}' twice, as {} and as {}", token, earlier->second, id));

    const std::string family = token.substr(0, token.find('_'));
    const auto known = std::find(families_.begin(), families_.end(), family);
    family_of_.push_back(static_cast<int>(std::distance(families_.begin(), known)));
    if (known == families_.end()) families_.push_back(family);

    const int pitch = parse_pitch(token);
    pitch_of_.push_back(pitch);
    if (pitch < 0) continue;
    id_of_pitch_[static_cast<std::size_t>(pitch)] = id;
    const bool first = pitch_range_.second < pitch_range_.first;
    pitch_range_ = first ? std::pair{pitch, pitch}
                         : std::pair{std::min(pitch_range_.first, pitch), std::max(pitch_range_.second, pitch)};
  }
}

std::optional<TokenId> Vocabulary::find(std::string_view token) const {
  const auto found = ids_.find(std::string(token));
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

TokenId Vocabulary::id(std::string_view token) const {
  if (const auto found = find(token)) return *found;
  throw Error(fmt::format("the vocabulary of {} tokens has no '{}'", size(), token));
}

TokenId Vocabulary::transposed(TokenId id, int semitones) const {
  const int pitch = this->pitch(id);
  if (pitch < 0) return id;
  const int target = pitch + semitones;
  const TokenId moved = target < 0 || target >= kPitches ? -1 : id_of_pitch_[static_cast<std::size_t>(target)];
  if (moved < 0)
    throw Error(fmt::format("'{}' cannot be transposed by {:+} semitones: the vocabulary's pitches are {}..{}",
                            token(id), semitones, pitch_range_.first, pitch_range_.second));
  return moved;
}

}  // namespace etude::data
