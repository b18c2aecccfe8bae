#include "render/notation/placing.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <tuple>

namespace etude::render {
namespace {

constexpr int kSixteenth = kUnitsPerQuarter / 4;

/// A grid, and what it costs beside the distances (in quarters), since it is harder to read.
struct Grid {
  int step;
  double price;
};
constexpr Grid kBinary[] = {{12, 0}, {6, 0.05}, {3, 0.09}};
constexpr Grid kTernary[] = {{16, 0.01}, {8, 0.055}, {4, 0.095}};
constexpr double kChord = 2.6;            // units: onsets that are nearer are one chord
constexpr double kCollisionPrice = 0.03;  // for onsets that are no chord and yet fall together
constexpr int kMostCollisions = 4;

struct RawNote {
  double begin = 0;
  double end = 0;
  int pitch = 60;
  int track = 0;
};

std::vector<RawNote> raw_notes(const data::Score& score) {
  std::vector<RawNote> notes;
  for (std::size_t track = 0; track < score.tracks.size(); ++track) {
    if (score.tracks[track].drums) continue;
    for (const data::Note& note : score.tracks[track].notes) {
      if (note.pitch < 0 || note.pitch > 127 || note.start < 0) continue;
      notes.push_back({units_at(score, note.start), units_at(score, note.start + note.duration), note.pitch,
                       static_cast<int>(track)});
    }
  }
  std::sort(notes.begin(), notes.end(), [](const RawNote& a, const RawNote& b) {
    return std::tie(a.begin, a.pitch, a.track) < std::tie(b.begin, b.pitch, b.track);
  });
  return notes;
}

double price_of(const Grid& grid, const Beat& beat, std::span<const RawNote> notes) {
  double squares = 0;
  int collisions = 0;
  double last_onset = -1e9;
  std::int64_t last_slot = -1;
  for (const RawNote& note : notes) {
    const double offset = note.begin - static_cast<double>(beat.begin);
    const auto slot = static_cast<std::int64_t>(std::llround(offset / grid.step));
    const double distance = (offset - static_cast<double>(slot * grid.step)) / kUnitsPerQuarter;
    squares += distance * distance;
    if (note.begin - last_onset > kChord) {
      if (slot == last_slot) ++collisions;
      last_onset = note.begin;
      last_slot = slot;
    }
  }
  return grid.price + std::sqrt(squares / static_cast<double>(notes.size())) +
         kCollisionPrice * std::min(collisions, kMostCollisions);
}

void choose_step(Beat& beat, std::span<const RawNote> notes, bool free) {
  double best = 1e9;
  const auto consider = [&](const Grid& grid) {
    if (grid.step > beat.length || beat.length % grid.step != 0 || (free && grid.step < kSixteenth)) return;
    if (const double price = price_of(grid, beat, notes); price < best) {
      best = price;
      beat.step = grid.step;
    }
  };
  for (const Grid& grid : kBinary) consider(grid);
  if (beat.length != kUnitsPerQuarter) return;
  for (const Grid& grid : kTernary) consider(grid);
}

std::int64_t snap(const std::vector<Beat>& beats, double time) {
  const Beat& beat = beats[beat_at(beats, static_cast<std::int64_t>(std::floor(time)))];
  const double offset = time - static_cast<double>(beat.begin);
  return beat.begin + std::llround(offset / beat.step) * beat.step;
}

/// Whether a time lies on a 16th or a triplet's eighth, to a unit.
bool is_written_time(double time) {
  const auto near = [&](int step) { return std::abs(time - std::round(time / step) * step) <= 1.0; };
  return near(kSixteenth) || near(kUnitsPerQuarter / 3);
}

}  // namespace

Placement place(const data::Score& score, std::vector<Beat>& beats) {
  const std::vector<RawNote> raw = raw_notes(score);
  Placement placement;
  std::size_t begin_in_time = 0, end_in_time = 0;
  for (const RawNote& note : raw) {
    begin_in_time += is_written_time(note.begin) ? 1 : 0;
    end_in_time += is_written_time(note.end) ? 1 : 0;
  }
  placement.performed = end_in_time * 10 < raw.size() * 9;
  const bool free = begin_in_time * 2 < raw.size();

  for (std::size_t first = 0; first < raw.size();) {
    Beat& beat = beats[beat_at(beats, static_cast<std::int64_t>(std::floor(raw[first].begin)))];
    std::size_t last = first + 1;
    while (last < raw.size() && raw[last].begin < static_cast<double>(beat.end())) ++last;
    choose_step(beat, std::span(raw).subspan(first, last - first), free);
    first = last;
  }

  const std::int64_t end = beats.back().end();
  auto& notes = placement.notes;
  for (const RawNote& note : raw) {
    const std::int64_t begin = snap(beats, note.begin);
    if (begin >= end) continue;
    const int step = beats[beat_at(beats, begin)].step;
    notes.push_back({begin, std::min(end, std::max(snap(beats, note.end), begin + step)), note.pitch, note.track});
  }
  std::sort(notes.begin(), notes.end(), [](const PlacedNote& a, const PlacedNote& b) {
    return std::tie(a.begin, a.pitch, b.end, a.track) < std::tie(b.begin, b.pitch, a.end, b.track);
  });
  // Of two at one time on one key the longer is kept; a key that is struck again ends the note before.
  notes.erase(
      std::unique(notes.begin(), notes.end(),
                  [](const PlacedNote& a, const PlacedNote& b) { return a.begin == b.begin && a.pitch == b.pitch; }),
      notes.end());
  std::vector<PlacedNote*> sounding(128, nullptr);
  for (PlacedNote& note : notes) {
    PlacedNote*& before = sounding[static_cast<std::size_t>(note.pitch)];
    if (before != nullptr) before->end = std::min(before->end, note.begin);
    before = &note;
  }
  return placement;
}

}  // namespace etude::render
