#pragma once

#include <string_view>
#include <vector>

#include "data/abc/tune.h"
#include "data/abc/voice_builder.h"

namespace etude::data::abc {

/// Lines of a tune from its X: on, or the fields above the first tune.
struct Lines {
  int first = 1;  ///< number of the first line in the file
  std::vector<std::string_view> lines;
};

/// Metre, unit length and the like that a file's head gives to all its tunes.
struct Defaults {
  Metre metre{4, 4, true};
  std::optional<Fraction> unit;
  std::string tempo;
  std::string composer;
  std::string source;
};

/// Throws Unreadable.
Defaults parse_file_head(const Lines& lines);
/// Throws Unreadable.
WrittenTune parse_tune(const Lines& lines, const Defaults& defaults);

}  // namespace etude::data::abc
