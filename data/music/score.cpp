#include "data/music/score.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace etude::data {
namespace {

constexpr double kDefaultQuartersPerMinute = 120.0;

/// A stretch of one tempo.
struct Stretch {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  double seconds_per_tick = 0;
};

/// Calls `visit` for every stretch from tick 0 on until it returns true; the last stretch has no end.
template <typename Visit>
void walk_tempos(const Score& score, Visit visit) {
  const auto seconds_per_tick = [&score](double quarters_per_minute) {
    return 60.0 / (quarters_per_minute * score.ticks_per_quarter);
  };
  std::int64_t begin = 0;
  double quarters_per_minute = kDefaultQuartersPerMinute;
  for (const Tempo& tempo : score.tempos) {
    if (tempo.time > begin) {
      if (visit(Stretch{begin, tempo.time, seconds_per_tick(quarters_per_minute)})) return;
      begin = tempo.time;
    }
    quarters_per_minute = tempo.quarters_per_minute;
  }
  visit(Stretch{begin, std::numeric_limits<std::int64_t>::max(), seconds_per_tick(quarters_per_minute)});
}

}  // namespace

std::int64_t end_of(const Score& score) {
  std::int64_t end = 0;
  for (const Track& track : score.tracks) {
    for (const Note& note : track.notes) end = std::max(end, note.start + note.duration);
  }
  return end;
}

std::int64_t count_notes(const Score& score) {
  std::int64_t count = 0;
  for (const Track& track : score.tracks) count += static_cast<std::int64_t>(track.notes.size());
  return count;
}

double seconds_at(const Score& score, std::int64_t tick) {
  double seconds = 0;
  walk_tempos(score, [&](const Stretch& stretch) {
    const std::int64_t end = std::min(stretch.end, tick);
    seconds += static_cast<double>(end - stretch.begin) * stretch.seconds_per_tick;
    return tick <= stretch.end;
  });
  return seconds;
}

std::int64_t tick_at(const Score& score, double seconds) {
  double passed = 0;
  std::int64_t tick = 0;
  walk_tempos(score, [&](const Stretch& stretch) {
    const double ticks = (seconds - passed) / stretch.seconds_per_tick;
    if (ticks > static_cast<double>(stretch.end - stretch.begin)) {
      passed += static_cast<double>(stretch.end - stretch.begin) * stretch.seconds_per_tick;
      return false;
    }
    tick = stretch.begin + std::llround(ticks);
    return true;
  });
  return tick;
}

}  // namespace etude::data
