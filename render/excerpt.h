#pragma once

#include <cstdint>

#include "data/music/score.h"

namespace etude::render {

/// How much of a piece is taken from its beginning; 0 takes all. Of both the shorter.
struct Excerpt {
  int bars = 0;  ///< an upbeat is none
  double seconds = 0;
};

/// The score up to there: notes and pedals that begin before, shortened to end there. `upbeat` as in NotationOptions.
data::Score take(const data::Score& score, const Excerpt& excerpt, std::int64_t upbeat = 0);

}  // namespace etude::render
