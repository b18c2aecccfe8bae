#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "data/shard/pack.h"
#include "data/tokenizer/vocabulary.h"

namespace etude::data {

/// Lowest and highest Pitch_* of a sequence; {0, -1} when it has none.
std::pair<int, int> pitch_range_of(std::span<const TokenId> tokens, const Vocabulary& vocabulary);

/// By how many semitones music between `pitches` may move, down (at most 0) and up (at least 0), so that each of its
/// pitches stays one that the vocabulary has. {0, 0} for music without pitches, which would not change.
std::pair<int, int> permitted_semitones(std::pair<int, int> pitches, const Vocabulary& vocabulary);

/// The sequence moved by `semitones`: its Pitch_* tokens replaced, all others kept. Throws Error when one would leave
/// the vocabulary.
std::vector<TokenId> transposed(std::span<const TokenId> tokens, int semitones, const Vocabulary& vocabulary);

/// Whether a piece is one that `where: {composer: chopin}` means: each key is composer, title, file or a label of the
/// piece, whose value holds the wanted text without regard to (ASCII) case. Empty means all pieces.
bool fits(const Piece& piece, const std::map<std::string, std::string>& where);

}  // namespace etude::data
