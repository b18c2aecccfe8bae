#include "data/augment/transpose.h"

#include <algorithm>
#include <string_view>

namespace etude::data {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& letter : result) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return result;
}

const std::string* property(const Piece& piece, const std::string& key) {
  if (key == "composer") return &piece.composer;
  if (key == "title") return &piece.title;
  if (key == "file") return &piece.file;
  const auto label = piece.labels.find(key);
  return label == piece.labels.end() ? nullptr : &label->second;
}

}  // namespace

std::pair<int, int> pitch_range_of(std::span<const TokenId> tokens, const Vocabulary& vocabulary) {
  std::pair<int, int> range{0, -1};
  for (const TokenId token : tokens) {
    const int pitch = vocabulary.pitch(token);
    if (pitch < 0) continue;
    range = range.first > range.second ? std::pair(pitch, pitch)
                                       : std::pair(std::min(range.first, pitch), std::max(range.second, pitch));
  }
  return range;
}

std::pair<int, int> permitted_semitones(std::pair<int, int> pitches, const Vocabulary& vocabulary) {
  if (pitches.first > pitches.second) return {0, 0};
  const auto [low, high] = vocabulary.pitch_range();
  return {low - pitches.first, high - pitches.second};
}

std::vector<TokenId> transposed(std::span<const TokenId> tokens, int semitones, const Vocabulary& vocabulary) {
  std::vector<TokenId> moved(tokens.size());
  std::ranges::transform(tokens, moved.begin(), [&](TokenId token) { return vocabulary.transposed(token, semitones); });
  return moved;
}

bool fits(const Piece& piece, const std::map<std::string, std::string>& where) {
  return std::ranges::all_of(where, [&](const auto& wanted) {
    const std::string* value = property(piece, wanted.first);
    return value != nullptr && lower(*value).find(lower(wanted.second)) != std::string::npos;
  });
}

}  // namespace etude::data
