#pragma once

#include <cstdint>
#include <vector>

#include "data/music/score.h"

namespace etude::testing {

inline constexpr int kTicks = 480;  ///< a quarter's

/// A piano piece of one track; times in ticks of 480 to the quarter.
inline data::Score piano(std::vector<data::Note> notes) {
  data::Score score;
  score.ticks_per_quarter = kTicks;
  data::Track track;
  track.notes = std::move(notes);
  score.tracks.push_back(std::move(track));
  return score;
}

}  // namespace etude::testing
