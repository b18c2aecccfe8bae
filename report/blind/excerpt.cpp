#include "report/blind/excerpt.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

namespace etude::blind {
namespace {

std::int64_t first_onset(const data::Score& score) {
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  for (const data::Track& track : score.tracks) {
    for (const data::Note& note : track.notes) first = std::min(first, note.start);
  }
  return first;
}

/// What of [start, start + duration) lies in [begin, end), counted from begin. Empty ones keep a duration of 0.
template <typename Span>
bool cut(Span& span, std::int64_t begin, std::int64_t end) {
  if (span.start >= end || span.start + span.duration < begin) return false;
  const std::int64_t last = std::min(end, span.start + span.duration);
  span.start = std::max(begin, span.start);
  span.duration = last - span.start;
  span.start -= begin;
  return true;
}

}  // namespace

double sounding_seconds(const data::Score& score) {
  if (data::count_notes(score) == 0) return 0;
  const double seconds = data::seconds_at(score, data::end_of(score)) - data::seconds_at(score, first_onset(score));
  return std::round(seconds * 1000) / 1000;
}

data::Score excerpt(const data::Score& score, double seconds) {
  data::Score result;
  result.ticks_per_quarter = score.ticks_per_quarter;
  if (data::count_notes(score) == 0) return result;
  const std::int64_t begin = first_onset(score);
  const std::int64_t end = data::tick_at(score, data::seconds_at(score, begin) + seconds);
  for (const data::Tempo& tempo : score.tempos) {
    // What was the tempo when the first note began is the tempo from the beginning on.
    if (tempo.time <= begin) result.tempos.clear();
    if (tempo.time < end)
      result.tempos.push_back({std::max<std::int64_t>(0, tempo.time - begin), tempo.quarters_per_minute});
  }
  for (const data::Track& track : score.tracks) {
    data::Track kept;
    kept.program = track.program;
    kept.drums = track.drums;
    for (data::Note note : track.notes) {
      if (cut(note, begin, end)) kept.notes.push_back(note);
    }
    for (data::Pedal pedal : track.pedals) {
      if (cut(pedal, begin, end)) kept.pedals.push_back(pedal);
    }
    if (!kept.notes.empty()) result.tracks.push_back(std::move(kept));
  }
  return result;
}

}  // namespace etude::blind
