#include "render/notation/values.h"

#include <algorithm>
#include <cstdlib>
#include <span>

namespace etude::render {
namespace {

struct Value {
  int type = 0;  ///< 1 whole, … 64; 0 breve
  int dots = 0;
};

/// The note value that lasts `units`; false when there is none.
bool find_value(int units, Value& value) {
  constexpr int kShortest = kUnitsPerWhole / 64;
  for (int length = 2 * kUnitsPerWhole, type = 0; length >= kShortest; length /= 2, type = type == 0 ? 1 : 2 * type) {
    value = {type, units == length ? 0 : 1};
    if (units == length || (2 * units == 3 * length && length > kShortest)) return true;
  }
  return false;
}

/// A stretch of one chord or rest within a measure.
struct Stretch {
  int begin = 0;
  int end = 0;
  const Chord* chord = nullptr;  ///< null: a rest
  int length() const { return end - begin; }
};

/// Decides where in a measure note values may begin and end without hiding how it is counted.
class MeasureRules {
 public:
  MeasureRules(const Measure& measure, std::span<const Beat> beats)
      : measure_(measure), beats_(beats), pulse_(pulse_of(measure.meter)) {}

  bool allows(const Stretch& stretch) const {
    Value value;
    if (!find_value(stretch.length(), value)) return false;
    return stretch.chord == nullptr ? allows_rest(stretch, value) : allows_note(stretch);
  }

  /// Where to part what is not allowed: the boundary that matters most, of equal ones the first, or the last when the
  /// stretch begins at as strong a one.
  int split(const Stretch& stretch) const {
    int best = 0, best_strength = -1;
    const int own = strength(stretch.begin);
    for (int at = stretch.begin / 3 * 3 + 3; at < stretch.end; at += 3) {
      const int here = strength(at);
      if (here > best_strength || (here == best_strength && own >= here)) {
        best = at;
        best_strength = here;
      }
    }
    return best;
  }

 private:
  const Beat& beat_of(int at) const {
    const auto after = std::upper_bound(beats_.begin(), beats_.end(), measure_.begin + at,
                                        [](std::int64_t time, const Beat& beat) { return time < beat.begin; });
    return after == beats_.begin() ? beats_.front() : *std::prev(after);
  }
  int in_beat(int at) const { return static_cast<int>(measure_.begin + at - beat_of(at).begin); }
  bool is_strong(int at) const { return at == 0 || (pulse_.strong > 0 && at % pulse_.strong == 0); }

  int strength(int at) const {
    if (is_strong(at)) return 6;
    const int offset = in_beat(at);
    if (offset == 0) return 5;
    if (offset % 24 == 0) return 4;
    if (offset % 12 == 0) return 3;
    return offset % 6 == 0 ? 2 : 1;
  }

  bool crosses_strong(const Stretch& stretch) const {
    if (pulse_.strong == 0) return false;
    return stretch.begin / pulse_.strong != (stretch.end - 1) / pulse_.strong;
  }

  bool allows_note(const Stretch& stretch) const {
    const int length = stretch.length(), offset = in_beat(stretch.begin);
    const Beat& beat = beat_of(stretch.begin);
    if (offset + length <= beat.length) {
      if (pulse_.compound) return offset % 24 == 0 || length <= 24;
      const int half = 24;
      if (offset / half == (offset + length - 1) / half) {  // inside a half of the beat
        return offset % 12 == 0 || offset % 12 + length <= 12 || (offset % 6 == 0 && length == 12);
      }
      return offset == 0 || (offset % 12 == 0 && length % 12 == 0);
    }
    if (crosses_strong(stretch) && !is_strong(stretch.begin)) {
      // A half note in the middle of 4/4 is what everybody reads.
      return !pulse_.compound && offset == 0 && length == pulse_.strong && stretch.end <= 2 * pulse_.strong &&
             stretch.begin * 2 == pulse_.strong;
    }
    if (pulse_.compound) return offset == 0 && length % pulse_.beat == 0;
    if (offset == 0) return pulse_.beat >= kUnitsPerQuarter ? length % 24 == 0 : true;
    if (offset % 24 != 0 || pulse_.beat < kUnitsPerQuarter) return false;
    return length == kUnitsPerQuarter || (length == 72 && strength(stretch.end % measure_.length) >= 5);
  }

  bool allows_rest(const Stretch& stretch, const Value& value) const {
    const int length = stretch.length(), offset = in_beat(stretch.begin);
    if (offset == 0 && pulse_.compound && length == pulse_.beat) return true;
    if (value.dots > 0) return false;
    if (offset + length <= beat_of(stretch.begin).length) {
      return offset % length == 0 && (!pulse_.compound || length <= 24 || offset == 0);
    }
    if (pulse_.compound || pulse_.strong == 0) return false;
    return stretch.begin % length == 0 && length <= pulse_.strong;
  }

  const Measure& measure_;
  std::span<const Beat> beats_;
  Pulse pulse_;
};

Element element_of(const Stretch& stretch) {
  Element element;
  element.offset = stretch.begin;
  element.duration = stretch.length();
  if (stretch.chord == nullptr) return element;
  for (const int pitch : stretch.chord->pitches) {
    WrittenNote note;
    note.pitch = pitch;
    element.notes.push_back(note);
  }
  return element;
}

/// Writes one measure of a voice.
class MeasureWriter {
 public:
  MeasureWriter(const Measure& measure, std::span<const Beat> beats)
      : measure_(measure), beats_(beats), rules_(measure, beats) {}

  std::vector<Element> write(const std::vector<Stretch>& stretches) {
    for (const Stretch& stretch : stretches) boundaries_.push_back(stretch.begin);
    for (const Stretch& stretch : stretches) {
      int begin = stretch.begin;
      for (const Beat& beat : beats_) {  // beats of three parts are walls
        if (!is_tuplet(beat)) continue;
        const int from = static_cast<int>(beat.begin - measure_.begin), to = from + beat.length;
        if (to <= begin || from >= stretch.end) continue;
        if (from > begin) add_plain({begin, from, stretch.chord});
        add_tuplet({std::max(begin, from), std::min(to, stretch.end), stretch.chord}, from, to);
        begin = std::min(to, stretch.end);
      }
      if (begin < stretch.end) add_plain({begin, stretch.end, stretch.chord});
      tie(stretch);
    }
    return std::move(elements_);
  }

 private:
  /// Whether something in this voice begins at a third of the beat.
  bool is_tuplet(const Beat& beat) const {
    if (!beat.ternary()) return false;
    return std::any_of(boundaries_.begin(), boundaries_.end(), [&](int at) {
      const std::int64_t offset = measure_.begin + at - beat.begin;
      return offset > 0 && offset < beat.length && offset % 12 != 0;
    });
  }

  void add_plain(const Stretch& stretch) {
    Value value;
    if (rules_.allows(stretch)) {
      find_value(stretch.length(), value);
    } else if (const int middle = rules_.split(stretch); middle > stretch.begin && middle < stretch.end) {
      add_plain({stretch.begin, middle, stretch.chord});
      add_plain({middle, stretch.end, stretch.chord});
      return;
    } else {
      find_value(stretch.length(), value);
    }
    elements_.push_back(element_of(stretch));
    elements_.back().type = value.type;
    elements_.back().dots = value.dots;
  }

  void add_tuplet(const Stretch& stretch, int from, int to) {
    constexpr int kThird = kUnitsPerQuarter / 3;
    Value value;
    const int offset = stretch.begin - from;
    const bool third_inside = offset % kThird != 0 && offset % kThird + stretch.length() > kThird;
    if (!find_value(stretch.length() * 3 / 2, value) || third_inside || value.dots > 0) {
      // At the next third; a stretch that begins at one is parted at the last third, or at the middle of it.
      int middle = from + (third_inside ? (offset / kThird + 1) * kThird : (stretch.end - from - 1) / kThird * kThird);
      for (int part = kThird / 2; middle <= stretch.begin && part >= 4; part /= 2) {
        middle = from + (stretch.end - from - 1) / part * part;
      }
      if (middle > stretch.begin) {
        add_tuplet({stretch.begin, middle, stretch.chord}, from, to);
        add_tuplet({middle, stretch.end, stretch.chord}, from, to);
        return;
      }
    }
    Element element = element_of(stretch);
    element.type = value.type;
    element.dots = value.dots;
    element.tuplet = stretch.begin == from ? Mark::kBegin : stretch.end == to ? Mark::kEnd : Mark::kInside;
    elements_.push_back(std::move(element));
    if (stretch.end == to) count_tuplet();
  }

  /// Three in the place of two, or where there are many, six in the place of four.
  void count_tuplet() {
    auto first = elements_.end() - 1;
    while (first->tuplet != Mark::kBegin) --first;
    const int notes = elements_.end() - first > 4 ? 6 : 3;
    for (auto one = first; one != elements_.end(); ++one) one->tuplet_notes = notes;
  }

  /// Ties the values that one chord was parted into, and those of its parts in other measures.
  void tie(const Stretch& stretch) {
    if (stretch.chord == nullptr) return;
    for (auto element = elements_.rbegin(); element != elements_.rend() && element->offset >= stretch.begin;
         ++element) {
      for (WrittenNote& note : element->notes) {
        note.tied_back = measure_.begin + element->offset > stretch.chord->begin;
        note.tied_on = measure_.begin + element->offset + element->duration < stretch.chord->end;
      }
      element->staccato = stretch.chord->staccato && !element->notes.empty() && !element->notes[0].tied_back;
    }
  }

  const Measure& measure_;
  std::span<const Beat> beats_;
  MeasureRules rules_;
  std::vector<int> boundaries_;
  std::vector<Element> elements_;
};

}  // namespace

std::vector<std::vector<Element>> write_voice(const std::vector<Chord>& chords, const std::vector<Measure>& measures,
                                              const std::vector<Beat>& beats, bool may_be_absent) {
  std::vector<std::vector<Element>> voice;
  std::size_t chord = 0, beat = 0;
  for (const Measure& measure : measures) {
    const std::int64_t end = measure.begin + measure.length;
    const std::size_t first_beat = beat;
    while (beat < beats.size() && beats[beat].begin < end) ++beat;
    while (chord < chords.size() && chords[chord].end <= measure.begin) ++chord;
    std::vector<Stretch> stretches;
    int at = 0;
    for (std::size_t i = chord; i < chords.size() && chords[i].begin < end; ++i) {
      const int from = static_cast<int>(std::max(chords[i].begin, measure.begin) - measure.begin);
      const int to = static_cast<int>(std::min(chords[i].end, end) - measure.begin);
      if (from > at) stretches.push_back({at, from, nullptr});
      stretches.push_back({from, to, &chords[i]});
      at = to;
    }
    if (stretches.empty()) {
      voice.emplace_back();
      if (may_be_absent) continue;
      Element rest;
      rest.duration = measure.length;
      rest.type = 1;
      rest.whole_measure = true;
      voice.back().push_back(rest);
      continue;
    }
    if (at < measure.length) stretches.push_back({at, measure.length, nullptr});
    MeasureWriter writer(measure, std::span(beats).subspan(first_beat, beat - first_beat));
    voice.push_back(writer.write(stretches));
    beam(voice.back(), measure);
  }
  return voice;
}

}  // namespace etude::render
