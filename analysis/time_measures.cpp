#include "analysis/time_measures.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <utility>

#include "analysis/bars.h"

namespace etude::analysis {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::int64_t end_of_piece(const data::Score& score) {
  std::int64_t end = data::end_of(score);
  for (const data::Track& track : score.tracks) {
    for (const data::Pedal& pedal : track.pedals) end = std::max(end, pedal.start + pedal.duration);
  }
  return end;
}

template <typename Visit>
void each_note(const data::Score& score, bool with_drums, Visit visit) {
  for (const data::Track& track : score.tracks) {
    if (with_drums || !track.drums) std::for_each(track.notes.begin(), track.notes.end(), visit);
  }
}

struct Interval {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// Sorted, and without those that lie in or touch others.
std::vector<Interval> merged(std::vector<Interval> intervals) {
  std::sort(intervals.begin(), intervals.end(), [](const Interval& a, const Interval& b) { return a.begin < b.begin; });
  std::vector<Interval> kept;
  for (const Interval& interval : intervals) {
    if (!kept.empty() && interval.begin <= kept.back().end) {
      kept.back().end = std::max(kept.back().end, interval.end);
    } else {
      kept.push_back(interval);
    }
  }
  return kept;
}

/// For how long how many pitches sound.
struct Sounding {
  double any = 0;  ///< ticks in which at least one sounds
  double more_than_two = 0;
  double pitches = 0;  ///< sum over the pitches of the ticks in which each sounds
};

Sounding sounding(const data::Score& score) {
  std::vector<std::vector<Interval>> by_pitch(128);
  each_note(score, false, [&](const data::Note& note) {
    if (note.duration <= 0) return;
    by_pitch[static_cast<std::size_t>(std::clamp(note.pitch, 0, 127))].push_back(
        {note.start, note.start + note.duration});
  });
  std::vector<std::pair<std::int64_t, int>> changes;  // when how many more pitches sound
  for (auto& intervals : by_pitch) {
    for (const Interval& interval : merged(std::move(intervals))) {
      changes.emplace_back(interval.begin, 1);
      changes.emplace_back(interval.end, -1);
    }
  }
  std::sort(changes.begin(), changes.end());
  Sounding sum;
  int now = 0;
  std::int64_t since = 0;
  for (const auto& [time, change] : changes) {
    const auto ticks = static_cast<double>(time - since);
    if (now > 0) sum.any += ticks;
    if (now > 2) sum.more_than_two += ticks;
    sum.pitches += now * ticks;
    now += change;
    since = time;
  }
  return sum;
}

/// 1 less the share of the cells from 0 to the one with `end` that a note's first to last cell cover; `cell_of` gives
/// the cell of a tick.
template <typename CellOf>
double empty_rate(const data::Score& score, CellOf cell_of) {
  const std::int64_t end = end_of_piece(score);
  if (end < 1) return kNan;
  std::vector<Interval> covered;
  each_note(score, true, [&](const data::Note& note) {
    covered.push_back({cell_of(note.start), cell_of(note.start + note.duration) + 1});
  });
  std::int64_t cells = 0;
  for (const Interval& interval : merged(std::move(covered))) cells += interval.end - interval.begin;
  return 1 - static_cast<double>(cells) / static_cast<double>(cell_of(end) + 1);
}

/// 1 less the mean distance of neighbouring bars, of which `bars` there are; `onsets` sorted, each once.
double groove(const std::vector<Bars::Place>& onsets, const Bars& bars, std::int64_t count) {
  if (count < 2) return kNan;
  // Bars without onsets differ from their neighbours by the neighbours' onsets alone, so only bars with some are
  // visited: each adds its onsets to both its pairs, and what two neighbours share is taken off twice.
  const auto length = [&](std::int64_t left) {
    return static_cast<double>(std::max(bars.length_of(left), bars.length_of(left + 1))) / Bars::kParts;
  };
  double distance = 0;
  auto previous_begin = onsets.begin(), previous_end = onsets.begin();
  for (auto begin = onsets.begin(); begin != onsets.end();) {
    const std::int64_t bar = begin->bar;
    const auto end = std::find_if(begin, onsets.end(), [bar](const Bars::Place& place) { return place.bar != bar; });
    const auto size = static_cast<double>(end - begin);
    if (bar > 0) distance += size / length(bar - 1);
    if (bar + 1 < count) distance += size / length(bar);
    if (previous_begin != previous_end && previous_begin->bar + 1 == bar) {
      double shared = 0;
      auto left = previous_begin;
      for (auto right = begin; right != end; ++right) {
        while (left != previous_end && left->position < right->position) ++left;
        if (left != previous_end && left->position == right->position) ++shared;
      }
      distance -= 2 * shared / length(bar - 1);
    }
    previous_begin = begin;
    previous_end = end;
    begin = end;
  }
  return 1 - distance / static_cast<double>(count - 1);
}

/// groove() with onsets rounded to a grid, or, for 0, on the file's own ticks.
double groove_on(const data::Score& score, int steps_per_quarter) {
  const Bars bars(score, steps_per_quarter);
  const std::int64_t ticks = std::max(1, score.ticks_per_quarter);
  const auto on_grid = [&](std::int64_t tick) -> std::int64_t {
    if (steps_per_quarter == 0) return tick;
    return std::llround(static_cast<double>(tick) * steps_per_quarter / static_cast<double>(ticks));
  };
  std::vector<Bars::Place> onsets;
  each_note(score, true, [&](const data::Note& note) { onsets.push_back(bars.place_of(on_grid(note.start))); });
  std::sort(onsets.begin(), onsets.end());
  onsets.erase(std::unique(onsets.begin(), onsets.end()), onsets.end());
  return groove(onsets, bars, bars.place_of(on_grid(end_of_piece(score))).bar + 1);
}

double in_quarters(std::int64_t ticks, const data::Score& score) {
  return static_cast<double>(ticks) / std::max(1, score.ticks_per_quarter);
}

/// From the first note's start to the last one's end.
struct Extent {
  std::int64_t begin = std::numeric_limits<std::int64_t>::max();
  std::int64_t end = 0;
  double notes = 0;
};

Extent extent_of(const data::Score& score) {
  Extent extent;
  each_note(score, false, [&](const data::Note& note) {
    extent.begin = std::min(extent.begin, note.start);
    extent.end = std::max(extent.end, note.start + note.duration);
    extent.notes += 1;
  });
  return extent;
}

}  // namespace

double polyphony(const data::Score& score) {
  const Sounding sum = sounding(score);
  return sum.any > 0 ? sum.pitches / sum.any : kNan;
}

double polyphony_rate(const data::Score& score) {
  const std::int64_t end = end_of_piece(score);
  return end > 0 ? sounding(score).more_than_two / static_cast<double>(end) : kNan;
}

double empty_beat_rate(const data::Score& score) {
  const std::int64_t ticks_per_quarter = std::max(1, score.ticks_per_quarter);
  return empty_rate(score, [&](std::int64_t tick) { return tick / ticks_per_quarter; });
}

double empty_measure_rate(const data::Score& score) {
  const Bars bars(score);
  return empty_rate(score, [&](std::int64_t tick) { return bars.place_of(tick).bar; });
}

double groove_consistency(const data::Score& score) { return groove_on(score, 0); }

double groove_similarity(const data::Score& score) { return groove_on(score, 16); }

double notes_per_second(const data::Score& score) {
  const Extent extent = extent_of(score);
  if (extent.begin >= extent.end) return kNan;
  return extent.notes / (data::seconds_at(score, extent.end) - data::seconds_at(score, extent.begin));
}

double notes_per_quarter(const data::Score& score) {
  const Extent extent = extent_of(score);
  return extent.begin < extent.end ? extent.notes / in_quarters(extent.end - extent.begin, score) : kNan;
}

std::vector<double> inter_onset_intervals(const data::Score& score) {
  std::vector<std::int64_t> onsets;
  each_note(score, false, [&](const data::Note& note) { onsets.push_back(note.start); });
  std::sort(onsets.begin(), onsets.end());
  onsets.erase(std::unique(onsets.begin(), onsets.end()), onsets.end());
  std::vector<double> intervals;
  for (std::size_t i = 1; i < onsets.size(); ++i) intervals.push_back(in_quarters(onsets[i] - onsets[i - 1], score));
  return intervals;
}

std::vector<double> note_durations(const data::Score& score) {
  std::vector<double> durations;
  each_note(score, false, [&](const data::Note& note) { durations.push_back(in_quarters(note.duration, score)); });
  return durations;
}

double mean_of(const std::vector<double>& values) {
  if (values.empty()) return kNan;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double median_of(std::vector<double> values) {
  if (values.empty()) return kNan;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

}  // namespace etude::analysis
