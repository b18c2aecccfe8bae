#include "render/performance.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

namespace etude::render {
namespace {

constexpr double kDefaultQuartersPerMinute = 120.0;
constexpr double kShortestNote = 0.03;       // seconds
constexpr double kLongestPedalAfterEnd = 8;  // seconds

}  // namespace

TempoMap::TempoMap(const data::Score& score) {
  const auto seconds_per_tick = [&score](double quarters_per_minute) {
    return 60.0 / (quarters_per_minute * std::max(1, score.ticks_per_quarter));
  };
  stretches_.push_back({0, 0, seconds_per_tick(kDefaultQuartersPerMinute)});
  for (const data::Tempo& tempo : score.tempos) {
    if (!(tempo.quarters_per_minute > 0) || !std::isfinite(tempo.quarters_per_minute)) continue;
    const Stretch& last = stretches_.back();
    const std::int64_t tick = std::max(tempo.time, last.tick);
    const double seconds = last.seconds + static_cast<double>(tick - last.tick) * last.seconds_per_tick;
    if (tick == last.tick) stretches_.pop_back();
    stretches_.push_back({tick, seconds, seconds_per_tick(tempo.quarters_per_minute)});
  }
}

double TempoMap::seconds_at(std::int64_t tick) const {
  const auto after = std::upper_bound(stretches_.begin() + 1, stretches_.end(), tick,
                                      [](std::int64_t at, const Stretch& stretch) { return at < stretch.tick; });
  const Stretch& stretch = *std::prev(after);
  return stretch.seconds + static_cast<double>(tick - stretch.tick) * stretch.seconds_per_tick;
}

Performance perform(const data::Score& score) {
  using Action = Event::Action;
  const TempoMap time(score);
  Performance performance;
  std::map<std::pair<bool, int>, int> numbers;
  const auto instrument_of = [&](const data::Track& track) {
    const int program = std::clamp(track.program, 0, 127);
    const auto [place, is_new] = numbers.emplace(std::pair(track.drums, track.drums ? 0 : program),
                                                 static_cast<int>(performance.instruments.size()));
    if (is_new) performance.instruments.push_back({program, track.drums});
    return place->second;
  };
  for (const data::Track& track : score.tracks) {
    const int instrument = instrument_of(track);
    for (const data::Note& note : track.notes) {
      if (note.pitch < 0 || note.pitch > 127) continue;
      const double start = time.seconds_at(note.start);
      const double end = std::max(time.seconds_at(note.start + note.duration), start + kShortestNote);
      performance.events.push_back({start, Action::kStrike, instrument, note.pitch, std::clamp(note.velocity, 1, 127)});
      performance.events.push_back({end, Action::kRelease, instrument, note.pitch, 0});
      performance.seconds = std::max(performance.seconds, end);
    }
  }
  const double last = performance.seconds + kLongestPedalAfterEnd;
  for (const data::Track& track : score.tracks) {
    if (track.drums) continue;
    const int instrument = instrument_of(track);
    for (const data::Pedal& pedal : track.pedals) {
      const double down = time.seconds_at(pedal.start), up = time.seconds_at(pedal.start + pedal.duration);
      if (down >= performance.seconds || up <= down) continue;
      performance.events.push_back({down, Action::kPedalDown, instrument, 0, 0});
      performance.events.push_back({std::min(up, last), Action::kPedalUp, instrument, 0, 0});
    }
  }
  std::stable_sort(performance.events.begin(), performance.events.end(), [](const Event& a, const Event& b) {
    return std::tie(a.seconds, a.action) < std::tie(b.seconds, b.action);
  });
  return performance;
}

}  // namespace etude::render
