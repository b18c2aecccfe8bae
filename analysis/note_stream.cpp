#include "analysis/note_stream.h"

#include <algorithm>
#include <tuple>

#include "analysis/bars.h"

namespace etude::analysis {
namespace {

std::int64_t on_grid(std::int64_t tick, std::int64_t ticks_per_quarter) {
  const std::int64_t twice = 2 * kStepsPerQuarter * tick + ticks_per_quarter;
  const std::int64_t step = twice / (2 * ticks_per_quarter);
  return twice < 0 && twice % (2 * ticks_per_quarter) != 0 ? step - 1 : step;
}

}  // namespace

std::vector<StreamNote> note_stream(const data::Score& score) {
  std::vector<StreamNote> stream;
  const std::int64_t resolution = std::max(1, score.ticks_per_quarter);
  const Bars bars(score, static_cast<int>(kStepsPerQuarter));
  for (const data::Track& track : score.tracks) {
    if (track.drums) continue;
    for (const data::Note& note : track.notes) {
      const std::int64_t step = on_grid(note.start, resolution);
      stream.push_back({note.start, note.start + note.duration, step, bars.place_of(step).bar + 1, note.pitch});
    }
  }
  std::sort(stream.begin(), stream.end(), [](const StreamNote& a, const StreamNote& b) {
    return std::tuple(a.step, a.pitch, -a.end, a.start) < std::tuple(b.step, b.pitch, -b.end, b.start);
  });
  const auto doubled = std::unique(stream.begin(), stream.end(), [](const StreamNote& a, const StreamNote& b) {
    return a.step == b.step && a.pitch == b.pitch;
  });
  stream.erase(doubled, stream.end());
  return stream;
}

std::vector<Follows> rhythm(const std::vector<StreamNote>& stream) {
  std::vector<Follows> follows(stream.size(), Follows::kTogether);
  std::int64_t before = 0;  // the last way from onset to onset
  for (std::size_t i = 1; i < stream.size(); ++i) {
    const std::int64_t way = stream[i].step - stream[i - 1].step;
    if (way == 0) continue;
    follows[i] = before == 0            ? Follows::kFirst
                 : 5 * way < 3 * before ? Follows::kSooner
                 : 3 * way > 5 * before ? Follows::kLater
                                        : Follows::kEvenly;
    before = way;
  }
  return follows;
}

}  // namespace etude::analysis
