#include "render/notation/voices.h"

#include <algorithm>
#include <optional>
#include <span>

namespace etude::render {
namespace {

constexpr std::int64_t kSixteenth = kUnitsPerQuarter / 4;
constexpr std::size_t kKept = 12;  // divisions followed at once
constexpr double kFidelity = 4;    // where ends are meant as they stand

/// What a voice is holding.
struct Held {
  std::int64_t begin = 0;
  std::int64_t until = -1;
  int low = 0;
  int high = 0;
  double count = 0;
};

/// A way to have divided everything up to a slice: the lower `split` notes of it are the lower voice's.
struct Division {
  double price = 0;
  Held upper, lower;
  std::int64_t lower_active = -1;  ///< measure in which the lower voice was heard last
  std::size_t split = 0;
  std::size_t parent = 0;
};

/// Lets a voice play `notes`; gives the price of what is cut off and what is made longer than it is: `fidelity` times
/// as much as a player's ends would cost.
double take(Held& voice, std::span<const PlacedNote> notes, double fidelity) {
  if (notes.empty()) return 0;
  const std::int64_t now = notes.front().begin;
  double price = 0;
  if (voice.until > now) {
    const double lost = static_cast<double>(std::min<std::int64_t>(voice.until - now, kUnitsPerWhole));
    const double whole = static_cast<double>(voice.until - voice.begin);
    price += voice.count * (lost / kUnitsPerQuarter + 0.3 * lost / whole);
  }
  std::int64_t until = now;
  for (const PlacedNote& note : notes) until = std::max(until, note.end);
  for (const PlacedNote& note : notes) {
    price += 0.7 * static_cast<double>(std::min<std::int64_t>(until - note.end, kUnitsPerWhole)) / kUnitsPerQuarter;
  }
  voice = {now, until, notes.front().pitch, notes.back().pitch, static_cast<double>(notes.size())};
  return price * fidelity;
}

Division divide(const Division& before, std::span<const PlacedNote> slice, std::size_t split, std::int64_t measure,
                double fidelity) {
  Division division = before;
  division.split = split;
  const auto low = slice.first(split), high = slice.subspan(split);
  const std::int64_t now = slice.front().begin;
  if (!low.empty()) {
    division.price += before.lower_active == measure ? 0.05 : 0.9;
    if (high.empty() && before.upper.until <= now) division.price += 0.6;
    if (before.upper.until > now && low.back().pitch >= before.upper.low) division.price += 1.5;
    division.lower_active = measure;
  }
  if (!high.empty() && before.lower.until > now && high.front().pitch <= before.lower.high) division.price += 1.5;
  division.price += take(division.lower, low, fidelity) + take(division.upper, high, fidelity);
  return division;
}

struct Slice {
  std::size_t first = 0;
  std::size_t size = 0;
  std::size_t split = 0;
};

std::vector<Slice> search(const std::vector<PlacedNote>& notes, const std::vector<Measure>& measures, double fidelity) {
  struct Choice {
    std::size_t split;
    std::size_t parent;
  };
  std::vector<Slice> slices;
  std::vector<std::vector<Choice>> choices;
  std::vector<Division> kept(1);
  for (std::size_t first = 0; first < notes.size();) {
    std::size_t last = first + 1;
    while (last < notes.size() && notes[last].begin == notes[first].begin) ++last;
    const auto slice = std::span(notes).subspan(first, last - first);
    const auto measure = static_cast<std::int64_t>(measure_at(measures, slice.front().begin));
    std::vector<Division> next;
    for (std::size_t split = 0; split <= slice.size(); ++split) {
      std::optional<Division> best;
      for (std::size_t i = 0; i < kept.size(); ++i) {
        Division division = divide(kept[i], slice, split, measure, fidelity);
        division.parent = i;
        if (!best || division.price < best->price) best = division;
      }
      next.push_back(*best);
    }
    std::stable_sort(next.begin(), next.end(), [](const Division& a, const Division& b) { return a.price < b.price; });
    next.resize(std::min(next.size(), kKept));
    std::vector<Choice> here;
    for (const Division& division : next) here.push_back({division.split, division.parent});
    slices.push_back({first, last - first, 0});
    choices.push_back(std::move(here));
    kept = std::move(next);
    first = last;
  }
  std::size_t at = 0;
  for (std::size_t i = slices.size(); i-- > 0;) {
    slices[i].split = choices[i][at].split;
    at = choices[i][at].parent;
  }
  return slices;
}

Chord chord_of(std::span<const PlacedNote> notes) {
  Chord chord{notes.front().begin, notes.front().end, {}, false};
  for (const PlacedNote& note : notes) {
    chord.end = std::max(chord.end, note.end);
    chord.pitches.push_back(note.pitch);
  }
  return chord;
}

/// A 16th, an eighth or a quarter.
bool is_plain(std::int64_t units) {
  return units == kSixteenth || units == 2 * kSixteenth || units == kUnitsPerQuarter;
}

/// Writes ends as an editor would: a gap that is only articulation is closed, other ends go to the next 16th.
void tidy(std::vector<Chord>& voice, const std::vector<Measure>& measures, const std::vector<Beat>& beats) {
  for (std::size_t i = 0; i < voice.size(); ++i) {
    Chord& chord = voice[i];
    const Measure& measure = measures[measure_at(measures, chord.begin)];
    const std::int64_t bar = std::max(measure.begin + measure.length, chord.end);
    const std::int64_t next = i + 1 < voice.size() ? std::min(voice[i + 1].begin, bar) : bar;
    const std::int64_t gap = next - chord.end, between = next - chord.begin;
    if (gap <= 0) continue;
    if (gap <= kSixteenth || (gap <= kUnitsPerQuarter && gap * 5 <= between * 2)) {
      chord.end = next;
    } else if (is_plain(between) && (chord.begin - measure.begin) % between == 0) {
      chord.end = next;
      chord.staccato = true;
    } else {
      const Beat& beat = beats[beat_at(beats, chord.end - 1)];
      const std::int64_t step = std::max<std::int64_t>(beat.step, beat.ternary() ? 16 : kSixteenth);
      const std::int64_t rounded = beat.begin + (chord.end - beat.begin + step - 1) / step * step;
      chord.end = std::min({rounded, beat.end(), next});
    }
  }
}

/// A lower voice that is alone in a measure is written as the upper one.
void raise_lonely(std::array<std::vector<Chord>, 2>& voices, const std::vector<Measure>& measures) {
  auto& [upper, lower] = voices;
  std::vector<Chord> stays, raised;
  std::size_t in_upper = 0;
  for (std::size_t i = 0; i < lower.size();) {
    const Measure& measure = measures[measure_at(measures, lower[i].begin)];
    const std::int64_t end = measure.begin + measure.length;
    std::size_t last = i;
    while (last < lower.size() && lower[last].begin < end) ++last;
    while (in_upper < upper.size() && upper[in_upper].end <= measure.begin) ++in_upper;
    const bool alone = in_upper == upper.size() || upper[in_upper].begin >= end;
    const bool comes_in = i > 0 && lower[i - 1].end > measure.begin;
    const bool goes_on = lower[last - 1].end > end;
    auto& to = alone && !comes_in && !goes_on ? raised : stays;
    to.insert(to.end(), lower.begin() + static_cast<std::ptrdiff_t>(i),
              lower.begin() + static_cast<std::ptrdiff_t>(last));
    i = last;
  }
  lower = std::move(stays);
  upper.insert(upper.end(), raised.begin(), raised.end());
  std::sort(upper.begin(), upper.end(), [](const Chord& a, const Chord& b) { return a.begin < b.begin; });
}

}  // namespace

std::array<std::vector<Chord>, 2> voices_of(const std::vector<PlacedNote>& notes, const std::vector<Measure>& measures,
                                            const std::vector<Beat>& beats, bool performed) {
  std::array<std::vector<Chord>, 2> voices;
  for (const Slice& slice : search(notes, measures, performed ? 1 : kFidelity)) {
    const auto all = std::span(notes).subspan(slice.first, slice.size);
    if (slice.split > 0) voices[1].push_back(chord_of(all.first(slice.split)));
    if (slice.split < slice.size) voices[0].push_back(chord_of(all.subspan(slice.split)));
  }
  for (auto& voice : voices) {
    for (std::size_t i = 0; i + 1 < voice.size(); ++i) voice[i].end = std::min(voice[i].end, voice[i + 1].begin);
    if (performed) tidy(voice, measures, beats);
  }
  raise_lonely(voices, measures);
  return voices;
}

}  // namespace etude::render
