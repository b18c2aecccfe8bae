#pragma once

#include <string_view>
#include <vector>

#include "data/abc/tune_parser.h"

namespace etude::data::abc {

/// The lines of a file, without their ends, dealt out to its head and its tunes. They point into the text.
struct BookLines {
  Lines head;  ///< fields above the first tune, up to an empty line
  std::vector<Lines> tunes;
};

BookLines split_book(std::string_view text);

}  // namespace etude::data::abc
