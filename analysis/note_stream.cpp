#include "analysis/note_stream.h"

#include <algorithm>
#include <tuple>

namespace etude::analysis {
namespace {

std::int64_t on_grid(std::int64_t tick, std::int64_t ticks_per_quarter) {
  const std::int64_t twice = 2 * kStepsPerQuarter * tick + ticks_per_quarter;
  const std::int64_t step = twice / (2 * ticks_per_quarter);
  return twice < 0 && twice % (2 * ticks_per_quarter) != 0 ? step - 1 : step;
}

/// Counts bars as time signatures divide the piece.
class BarCount {
 public:
  explicit BarCount(const data::Score& score) {
    const auto ticks_per_bar = [&](int numerator, int denominator) {
      return std::max<std::int64_t>(1,
                                    std::int64_t{4} * score.ticks_per_quarter * numerator / std::max(1, denominator));
    };
    sections_.push_back({0, ticks_per_bar(4, 4), 1});
    for (const data::TimeSignature& meter : score.time_signatures) {
      Section& last = sections_.back();
      const std::int64_t per_bar = ticks_per_bar(meter.numerator, meter.denominator);
      if (meter.time <= last.begin) {
        last.per_bar = per_bar;
      } else if (per_bar != last.per_bar) {
        const std::int64_t bars = (meter.time - last.begin + last.per_bar - 1) / last.per_bar;
        sections_.push_back({meter.time, per_bar, last.bar + bars});
      }
    }
  }

  std::int64_t bar_at(std::int64_t tick) const {
    const auto after = std::upper_bound(sections_.begin() + 1, sections_.end(), tick,
                                        [](std::int64_t time, const Section& section) { return time < section.begin; });
    const Section& section = *std::prev(after);
    return section.bar + std::max<std::int64_t>(0, tick - section.begin) / section.per_bar;
  }

 private:
  struct Section {
    std::int64_t begin = 0;    ///< tick
    std::int64_t per_bar = 1;  ///< ticks
    std::int64_t bar = 1;      ///< that begins here
  };
  std::vector<Section> sections_;
};

}  // namespace

std::vector<StreamNote> note_stream(const data::Score& score) {
  std::vector<StreamNote> stream;
  const std::int64_t resolution = std::max(1, score.ticks_per_quarter);
  const BarCount bars(score);
  for (const data::Track& track : score.tracks) {
    if (track.drums) continue;
    for (const data::Note& note : track.notes) {
      const std::int64_t step = on_grid(note.start, resolution);
      // Where it is on the grid, so that a note played a little early lies in the bar that it is written in.
      const std::int64_t bar = bars.bar_at((step * resolution + kStepsPerQuarter - 1) / kStepsPerQuarter);
      stream.push_back({note.start, note.start + note.duration, step, bar, note.pitch});
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
