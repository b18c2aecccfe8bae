#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/abc/fields.h"
#include "data/abc/fraction.h"

namespace etude::data::abc {

// A tune as it is written, bar by bar, before repeats are played. Times are in whole notes.

struct WrittenNote {
  Fraction offset;  ///< from the beginning of its bar
  Fraction duration;
  int pitch = 60;
  bool tied = false;  ///< goes on in the next note of its pitch
};

/// What stands between two bar signs (or a bar sign and an ending in mid-bar).
struct Bar {
  int line = 0;  ///< of its first sign
  int column = 0;
  std::vector<WrittenNote> notes;
  Fraction length;
  int measures = 1;  ///< more for a rest of several bars
  Metre metre;       ///< these three hold at its beginning
  Key key;
  std::optional<double> tempo;
  std::vector<std::pair<Fraction, double>> tempo_changes;  ///< inside it

  bool begins_repeat = false;
  int repeats = 0;            ///< how many times its closing sign sends back
  std::uint64_t passes = 0;   ///< bit n: an ending for the n-th time begins here; 0 for none
  bool ends_section = false;  ///< closed by a double bar or a repeat
  bool split = false;         ///< no bar sign at its end: an ending begins there
};

struct Voice {
  std::string id;
  std::string name;
  std::vector<Bar> bars;
};

struct WrittenTune {
  int number = 0;
  int line = 1;
  std::string title;
  std::string composer;
  std::string source;
  std::vector<Voice> voices;
};

}  // namespace etude::data::abc
