#pragma once

#include <utility>
#include <vector>

#include "data/music/score.h"

namespace etude::testing {

/// One voice of 480 ticks a quarter.
inline data::Score piece_of(std::vector<data::Note> notes) {
  data::Score score;
  score.tracks.push_back({"", 0, false, std::move(notes), {}});
  return score;
}

/// Notes one after another, `each` ticks long.
inline data::Score melody(const std::vector<int>& pitches, std::int64_t each = 240) {
  std::vector<data::Note> notes;
  for (const int pitch : pitches) notes.push_back({static_cast<std::int64_t>(notes.size()) * each, each, pitch, 64});
  return piece_of(std::move(notes));
}

}  // namespace etude::testing
