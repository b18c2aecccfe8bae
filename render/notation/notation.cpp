#include "render/notation/notation.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "render/notation/clefs.h"
#include "render/notation/hands.h"
#include "render/notation/keys.h"
#include "render/notation/measures.h"
#include "render/notation/placing.h"
#include "render/notation/values.h"
#include "render/notation/voices.h"
#include "render/performance.h"

namespace etude::render {
namespace {

/// Where the last note ends, in units; that the shortest has room, too.
std::int64_t end_in_units(const data::Score& score) {
  constexpr std::int64_t kShortest = kUnitsPerQuarter / 8;
  double end = 0;
  for (const data::Track& track : score.tracks) {
    if (track.drums) continue;
    for (const data::Note& note : track.notes) {
      end = std::max({end, units_at(score, note.start + note.duration), units_at(score, note.start) + kShortest});
    }
  }
  return std::llround(end);
}

/// A tempo mark at the beginning, and where the tempo changes for some measures; not for each rubato.
void set_tempos(std::vector<Measure>& measures, const data::Score& score) {
  constexpr std::size_t kLasting = 4;  // measures
  constexpr double kNoticeable = 1.2;
  const TempoMap time(score);
  std::vector<double> tempos;
  for (const Measure& measure : measures) {
    const auto tick = [&](std::int64_t units) { return units * score.ticks_per_quarter / kUnitsPerQuarter; };
    const double seconds = time.seconds_at(tick(measure.begin + measure.length)) - time.seconds_at(tick(measure.begin));
    const double quarters = static_cast<double>(measure.length) / kUnitsPerQuarter;
    tempos.push_back(seconds > 0 ? quarters * 60 / seconds : 120);
  }
  const auto median = [&](std::size_t first) {
    std::vector<double> window(tempos.begin() + static_cast<std::ptrdiff_t>(first),
                               tempos.begin() + static_cast<std::ptrdiff_t>(std::min(first + kLasting, tempos.size())));
    std::nth_element(window.begin(), window.begin() + static_cast<std::ptrdiff_t>(window.size() / 2), window.end());
    return window[window.size() / 2];
  };
  double marked = 0;
  for (std::size_t i = 0; i < measures.size(); ++i) {
    if (i > 0 && i + kLasting > measures.size()) break;
    const double here = median(i);
    const double change = std::max(here, marked) / std::max(1e-9, std::min(here, marked));
    const double at_once = std::max(tempos[i], marked) / std::max(1e-9, std::min(tempos[i], marked));
    if (marked > 0 && (change < kNoticeable || at_once < kNoticeable)) continue;
    marked = here;
    measures[i].quarters_per_minute = std::max(1.0, std::round(here));
  }
}

}  // namespace

Notation notate(const data::Score& score, const NotationOptions& options) {
  Notation notation{score.title, score.composer, 2, lay_out(score, end_in_units(score), options.upbeat)};
  auto& measures = notation.measures;
  std::vector<Beat> beats = beats_of(measures);
  Placement placement = place(score, beats);
  const auto& notes = placement.notes;

  // A note that ended a little after the last bar line now ends there.
  std::int64_t end = 0;
  for (const PlacedNote& note : notes) end = std::max(end, note.end);
  while (measures.size() > 1 && measures.back().begin >= end) measures.pop_back();
  while (beats.size() > 1 && beats.back().begin >= measures.back().begin + measures.back().length) beats.pop_back();

  notation.staves = is_melody(score, notes) ? 1 : 2;
  std::vector<std::vector<PlacedNote>> of_staff(static_cast<std::size_t>(notation.staves));
  const std::vector<bool> left = notation.staves == 2 ? left_hand(score, notes) : std::vector<bool>(notes.size());
  for (std::size_t i = 0; i < notes.size(); ++i) of_staff[left[i] ? 1 : 0].push_back(notes[i]);

  for (Measure& measure : measures) measure.staves.resize(of_staff.size());
  for (std::size_t staff = 0; staff < of_staff.size(); ++staff) {
    const auto voices = voices_of(of_staff[staff], measures, beats, placement.performed);
    for (std::size_t voice = 0; voice < 2; ++voice) {
      auto written = write_voice(voices[voice], measures, beats, voice == 1);
      for (std::size_t i = 0; i < measures.size(); ++i) measures[i].staves[staff].voices[voice] = std::move(written[i]);
    }
  }
  set_keys(measures, score, notes);
  spell_all(measures);
  choose_clefs(measures);
  set_tempos(measures, score);
  return notation;
}

}  // namespace etude::render
