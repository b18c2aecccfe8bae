#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "data/abc/fraction.h"

namespace etude::data::abc {

// The tokens of a line of music. Lengths are factors of the unit length.

struct NoteToken {
  int step = 0;                   ///< 0..6 for C..B
  int octave = 0;                 ///< 0 for C, 1 for c
  std::optional<int> accidental;  ///< semitones, when written
  Fraction length = 1;
};
struct RestToken {
  Fraction length = 1;
  bool bars = false;  ///< Z, X: the length counts bars
};
struct ChordBeginToken {};
struct ChordEndToken {
  Fraction length = 1;
};
struct BarToken {
  int repeats = 0;      ///< colons before the bar: play this once more each
  bool begins = false;  ///< a colon behind it
  bool thick = false;   ///< a double bar: sections end here
};
struct EndingToken {
  std::uint64_t passes = 0;  ///< bit n: played the n-th time
};
struct TupletToken {
  int notes = 3;                ///< p: so many …
  std::optional<int> in_time;   ///< q: … in the time of so many
  std::optional<int> affected;  ///< r: for the next r notes
};
struct BrokenToken {
  int strength = 1;  ///< > 1, >> 2; negative for <
};
struct TieToken {};
struct OverlayToken {};
struct FieldToken {
  char letter = ' ';
  std::string value;
};

struct Token {
  std::variant<NoteToken, RestToken, ChordBeginToken, ChordEndToken, BarToken, EndingToken, TupletToken, BrokenToken,
               TieToken, OverlayToken, FieldToken>
      what;
  int column = 1;
};

/// Cuts a line of music up. What has no sound (slurs, decorations, chord symbols, grace notes, spaces, comments) is
/// gone afterwards. Throws Unreadable at the first character that means nothing.
std::vector<Token> tokenize(std::string_view line, int line_number);

}  // namespace etude::data::abc
