#pragma once

#include <cstdint>
#include <vector>

#include "data/music/score.h"

namespace etude::render {

/// Ticks to seconds along a score's tempo changes; each answer costs a search, not a walk.
class TempoMap {
 public:
  explicit TempoMap(const data::Score& score);
  double seconds_at(std::int64_t tick) const;

 private:
  struct Stretch {
    std::int64_t tick = 0;
    double seconds = 0;
    double seconds_per_tick = 0;
  };
  std::vector<Stretch> stretches_;
};

/// Something a player does. Events of one time are done in the order of their actions.
struct Event {
  enum class Action { kRelease, kPedalUp, kPedalDown, kStrike };
  double seconds = 0;
  Action action = Action::kStrike;
  int instrument = 0;  ///< index into Performance::instruments
  int pitch = 0;
  int velocity = 0;
};

struct Instrument {
  int program = 0;  ///< General MIDI, 0..127
  bool drums = false;
};

/// What is done when, for a synthesizer to follow.
struct Performance {
  /// One for each program: tracks of one program are the hands of one player, with one pedal.
  std::vector<Instrument> instruments;
  std::vector<Event> events;  ///< in time
  double seconds = 0;         ///< end of the last note
};

/// Follows the tempo changes. Each key is released as often as it is struck; notes too short to be heard last 30 ms;
/// pedals that are held on after the last note are let go when it has long died away.
Performance perform(const data::Score& score);

}  // namespace etude::render
