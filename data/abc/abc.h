#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "data/music/score.h"

namespace etude::data::abc {

/// One tune of an ABC file: its own text (for tokenizers of characters) and the music it stands for.
struct Tune {
  int number = 0;        ///< X:
  int line = 1;          ///< where its X: stands in the file
  std::string title;     ///< first T:
  std::string composer;  ///< C:
  std::string source;    ///< S: (or B:, O: where there is none)
  std::string text;
  Score score;
  std::int64_t upbeat = 0;  ///< ticks before the first bar line, where that comes early; else 0
};

/// What could not be read, and where.
struct Problem {
  int line = 0;
  int column = 0;
  std::string what;
};

struct Book {
  std::vector<Tune> tunes;
  std::vector<Problem> problems;  ///< one per tune that was left out
};

/// Reads the tunes of an ABC 2.1 file: headers (X T C S M L Q K V), keys and modes, accidentals that last the bar,
/// tuplets, broken rhythm, ties, chords, grace notes (left out), repeats and numbered endings (played), several voices
/// (V:, one track each, inline too), voice overlay (&), tempo, changes of key, metre and unit length inside a tune;
/// lyrics, decorations and chord symbols are skipped. A tune that cannot be read becomes a problem; the others are
/// kept.
Book parse(std::string_view text);

/// The same of a file. Throws Error when the file cannot be read or holds no tune at all.
Book read(const std::filesystem::path& file);

}  // namespace etude::data::abc
