#include "data/tokenizer/quantize.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::data {
namespace {

/// 55 hours at 120 quarters a minute.
constexpr double kLongestPiece = 400'000;

constexpr TimeSignature kCommonTime{0, 4, 4};

/// The score's ticks to ticks of the grid.
class Resampler {
 public:
  Resampler(int from, int to) : from_(from), scale_(static_cast<double>(to) / from) {}

  std::int64_t round(std::int64_t time) const { return std::llround(scaled(time)); }
  std::int64_t truncate(std::int64_t time) const { return static_cast<std::int64_t>(scaled(time)); }

 private:
  double scaled(std::int64_t time) const {
    const auto exact = static_cast<double>(time);
    if (exact > kLongestPiece * from_)
      throw Error(
          fmt::format("an event lies {:.0f} quarter notes after the start, more than the {:.0f} that a piece may "
                      "last (is a time in the file damaged?)",
                      exact / from_, kLongestPiece));
    return std::max(exact, 0.0) * scale_;
  }

  double from_;
  double scale_;
};

/// Notes of all pitched tracks by start, without a copy when one track has them all.
class MergedNotes {
 public:
  explicit MergedNotes(const Score& score) {
    const auto by_start = [](const Note& a, const Note& b) { return a.start < b.start; };
    std::vector<const Track*> pitched;
    for (const Track& track : score.tracks)
      if (!track.drums && !track.notes.empty()) pitched.push_back(&track);
    if (pitched.empty()) return;
    if (pitched.size() == 1 && std::is_sorted(pitched[0]->notes.begin(), pitched[0]->notes.end(), by_start)) {
      notes_ = &pitched[0]->notes;
      return;
    }
    for (const Track* track : pitched) merged_.insert(merged_.end(), track->notes.begin(), track->notes.end());
    std::stable_sort(merged_.begin(), merged_.end(), by_start);
  }
  MergedNotes(const MergedNotes&) = delete;
  MergedNotes& operator=(const MergedNotes&) = delete;

  const std::vector<Note>& notes() const { return *notes_; }

 private:
  std::vector<Note> merged_;
  const std::vector<Note>* notes_ = &merged_;
};

bool same_meter(const TimeSignature& a, const TimeSignature& b) {
  return a.numerator == b.numerator && a.denominator == b.denominator;
}

/// Those the grid knows, beginning at 0.
std::vector<TimeSignature> known_time_signatures(const Score& score, const TimeGrid& grid) {
  std::vector<TimeSignature> known;
  for (const TimeSignature& change : score.time_signatures)
    if (grid.find({change.numerator, change.denominator})) known.push_back(change);
  if (known.empty() || known.front().time != 0) known.insert(known.begin(), kCommonTime);
  return known;
}

int finest_denominator(const std::vector<TimeSignature>& changes) {
  int finest = 1;
  for (const TimeSignature& change : changes) finest = std::max(finest, change.denominator);
  return finest;
}

/// Delays each change to a bar line of the meter before it, and leaves out those that change nothing.
std::vector<TimeSignature> on_bar_lines(const std::vector<TimeSignature>& changes, int ticks_per_quarter) {
  std::vector<TimeSignature> result{changes.front()};
  for (TimeSignature change : changes) {
    const TimeSignature& last = result.back();
    if (same_meter(change, last)) continue;
    const std::int64_t bar = std::int64_t{ticks_per_quarter} * 4 * last.numerator / last.denominator;
    const std::int64_t bars = (std::max<std::int64_t>(change.time - last.time, 0) + bar - 1) / bar;
    change.time = last.time + bars * bar;
    // A change at the bar line of the one before it takes its place, and may then repeat what came before that.
    if (bars == 0) result.pop_back();
    if (result.empty() || !same_meter(change, result.back())) result.push_back(change);
  }
  return result;
}

std::vector<MeterSection> sections_of(const std::vector<TimeSignature>& changes, int finest, const TimeGrid& grid) {
  std::vector<MeterSection> sections;
  for (const TimeSignature& change : changes)
    sections.push_back(
        {change.time, grid.find({change.numerator, change.denominator}).value(), finest / change.denominator});
  return sections;
}

/// To the nearest multiple of `step`; halves go to the even one, as numpy rounds.
std::int64_t round_to(std::int64_t value, int step) {
  const std::int64_t quotient = value / step, remainder = value % step;
  const bool up = 2 * remainder > step || (2 * remainder == step && quotient % 2 == 1);
  return (quotient + (up ? 1 : 0)) * step;
}

bool denominators_differ(const std::vector<MeterSection>& sections) {
  return std::any_of(sections.begin(), sections.end(), [&](const MeterSection& section) {
    return section.ticks_per_position != sections.front().ticks_per_position;
  });
}

}  // namespace

VelocityScale::VelocityScale(int count) {
  if (count < 1 || count > 127) throw Error(fmt::format("{} velocities: there may be 1 to 127", count));
  const double step = 127.0 / count;
  for (int i = 1; i < count; ++i) values_.push_back(static_cast<int>(i * step));
  values_.push_back(127);
  std::size_t best = 0;
  for (int velocity = 0; velocity < 128; ++velocity) {
    const auto distance = [&](std::size_t index) { return std::abs(velocity - values_[index]); };
    while (best + 1 < values_.size() && distance(best + 1) <= distance(best)) ++best;
    nearest_[static_cast<std::size_t>(velocity)] = static_cast<std::uint8_t>(best);
  }
}

int VelocityScale::nearest(int velocity) const {
  return nearest_[static_cast<std::size_t>(std::clamp(velocity, 0, 127))];
}

QuantizedScore quantize(const Score& score, const TimeGrid& grid, const VelocityScale& velocities, int lowest_pitch,
                        int highest_pitch) {
  if (score.ticks_per_quarter <= 0)
    throw Error(fmt::format("a score of {} ticks per quarter note has no time", score.ticks_per_quarter));
  std::vector<TimeSignature> changes = known_time_signatures(score, grid);
  const int finest = finest_denominator(changes);
  const int ticks_per_quarter = grid.positions_per_beat() * finest / 4;
  const Resampler resample(score.ticks_per_quarter, ticks_per_quarter);
  for (TimeSignature& change : changes) change.time = resample.truncate(change.time);

  QuantizedScore result;
  result.sections = sections_of(on_bar_lines(changes, ticks_per_quarter), finest, grid);

  // Ticks are positions of the finest meter; starts in a coarser one go to its own positions. MidiTok leaves that out
  // when all meters that are left have one denominator (positions are then rounded down), and so do we.
  const bool adjust = denominators_differ(result.sections);
  const MergedNotes merged(score);
  result.notes.reserve(merged.notes().size());
  // A note may be rounded onto the next section's first bar line; its duration is then measured by that section.
  std::size_t heard = 0, written = 0;
  const auto follow = [&](std::size_t& section, std::int64_t time) -> const MeterSection& {
    while (section + 1 < result.sections.size() && result.sections[section + 1].start <= time) ++section;
    return result.sections[section];
  };
  for (const Note& note : merged.notes()) {
    if (note.pitch < lowest_pitch || note.pitch > highest_pitch) continue;
    std::int64_t start = resample.round(note.start);
    const MeterSection& section = follow(heard, start);
    if (adjust) start = section.start + round_to(start - section.start, section.ticks_per_position);
    const std::int64_t duration = resample.round(note.duration);
    const int unit = follow(written, start).ticks_per_position;
    result.notes.push_back({start, note.pitch, static_cast<std::int16_t>(grid.nearest_duration(duration, unit)),
                            static_cast<std::int16_t>(velocities.nearest(note.velocity))});
  }
  return result;
}

}  // namespace etude::data
