#include "analysis/histograms.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <numeric>

#include <fmt/core.h>

#include "analysis/time_measures.h"

namespace etude::analysis {
namespace {

/// A class of times, in quarters.
struct NoteValue {
  const char* name;
  double below;  ///< the geometric mean of this value and the next longer one
};

constexpr std::array<NoteValue, 14> kNoteValues{{
    {"thirty-second or shorter", 0.144},  // 1/8 | 1/6
    {"sixteenth triplet", 0.204},         // | 1/4
    {"sixteenth", 0.289},                 // | 1/3
    {"eighth triplet", 0.408},            // | 1/2
    {"eighth", 0.577},                    // | 2/3
    {"quarter triplet", 0.707},           // | 3/4
    {"dotted eighth", 0.866},             // | 1
    {"quarter", 1.225},                   // | 3/2
    {"dotted quarter", 1.732},            // | 2
    {"half", 2.449},                      // | 3
    {"dotted half", 3.464},               // | 4
    {"whole", 4.899},                     // | 6
    {"dotted whole", 6.928},              // | 8
    {"two wholes or longer", std::numeric_limits<double>::infinity()},
}};

std::vector<double> count_note_values(const std::vector<double>& quarters) {
  std::vector<double> counts(kNoteValues.size());
  for (const double time : quarters) {
    const auto value = std::find_if(kNoteValues.begin(), kNoteValues.end() - 1,
                                    [time](const NoteValue& candidate) { return time < candidate.below; });
    ++counts[static_cast<std::size_t>(value - kNoteValues.begin())];
  }
  return counts;
}

std::vector<double> count_pitches(const data::Score& score, int classes) {
  std::vector<double> counts(static_cast<std::size_t>(classes));
  for (const data::Track& track : score.tracks) {
    if (track.drums) continue;
    for (const data::Note& note : track.notes) {
      ++counts[static_cast<std::size_t>(std::clamp(note.pitch, 0, 127) % classes)];
    }
  }
  return counts;
}

constexpr std::array kPitchClasses{"C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"};

std::vector<HistogramKind> make_kinds() {
  std::vector<std::string> pitches, pitch_classes(kPitchClasses.begin(), kPitchClasses.end()), values;
  for (int pitch = 0; pitch < 128; ++pitch) {
    pitches.push_back(fmt::format("{}{}", kPitchClasses[static_cast<std::size_t>(pitch % 12)], pitch / 12 - 1));
  }
  for (const NoteValue& value : kNoteValues) values.emplace_back(value.name);
  return {
      {"pitch", "How often each pitch occurs (C4 is middle C)", pitches},
      {"pitch_class", "How often each pitch class (pitch without its octave) occurs", pitch_classes},
      {"inter_onset", "Time from one moment at which notes begin to the next, as the nearest note value", values},
      {"duration", "How long notes are held, as the nearest note value", values},
  };
}

}  // namespace

const std::vector<HistogramKind>& histogram_kinds() {
  static const std::vector<HistogramKind> kinds = make_kinds();
  return kinds;
}

std::vector<std::vector<double>> histograms(const data::Score& score) {
  return {count_pitches(score, 128), count_pitches(score, 12), count_note_values(inter_onset_intervals(score)),
          count_note_values(note_durations(score))};
}

std::vector<double> mean_shares(const std::vector<std::vector<double>>& counts_of_pieces) {
  std::vector<double> shares(counts_of_pieces.empty() ? 0 : counts_of_pieces.front().size());
  double pieces = 0;
  for (const std::vector<double>& counts : counts_of_pieces) {
    const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
    if (total == 0) continue;
    ++pieces;
    for (std::size_t i = 0; i < counts.size(); ++i) shares[i] += counts[i] / total;
  }
  for (double& share : shares) share = pieces > 0 ? share / pieces : std::numeric_limits<double>::quiet_NaN();
  return shares;
}

}  // namespace etude::analysis
