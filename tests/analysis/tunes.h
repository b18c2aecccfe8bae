#pragma once

#include <cstdint>
#include <vector>

#include "data/loader/random.h"
#include "data/music/score.h"

namespace etude::testing {

/// Random numbers that are the same everywhere.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  /// In [low, high].
  int roll(int low, int high) {
    state_ = data::mix(state_);
    return static_cast<int>(data::uniform(state_ >> 8, low, high));
  }

 private:
  std::uint64_t state_;
};

/// Music for two hands without any sense, in eighths of 480 ticks a quarter: chords of one to three notes within an
/// octave, each step an eighth, a quarter or a dotted quarter.
inline data::Score nonsense(std::uint64_t seed, int onsets) {
  Dice dice(seed);
  data::Score score;
  data::Track track;
  std::int64_t time = 0;
  for (int i = 0; i < onsets; ++i) {
    const int voices = dice.roll(1, 3);
    int pitch = dice.roll(40, 60);
    for (int voice = 0; voice < voices; ++voice, pitch += dice.roll(3, 5)) {
      track.notes.push_back({time, 200, pitch, dice.roll(20, 100)});
    }
    time += 240 * dice.roll(1, 3);
  }
  score.tracks.push_back(std::move(track));
  return score;
}

}  // namespace etude::testing
