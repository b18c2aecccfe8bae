#include "data/pack/music_id.h"

#include <algorithm>
#include <array>
#include <vector>

#include "framework/files/files.h"

namespace etude::data {

std::string music_id(const Score& score) {
  // Finer than any notated rhythm, coarse enough to forget the rounding of another resolution.
  constexpr std::int64_t kPositionsPerQuarter = 96;
  const auto position = [&](std::int64_t ticks) {
    return (2 * kPositionsPerQuarter * ticks + score.ticks_per_quarter) / (2 * score.ticks_per_quarter);
  };
  using Event = std::array<std::int64_t, 3>;  // onset, pitch, duration: transposition keeps their order
  std::vector<Event> events;
  for (const Track& track : score.tracks) {
    if (track.drums) continue;
    for (const Note& note : track.notes) events.push_back({position(note.start), note.pitch, position(note.duration)});
  }
  std::ranges::sort(events);
  if (!events.empty()) {
    const Event first = events.front();
    for (Event& event : events) {
      event[0] -= first[0];
      event[1] -= first[1];
    }
  }
  return files::hash(std::as_bytes(std::span(events)));
}

}  // namespace etude::data
