#include "data/abc/voice_builder.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/core.h>

namespace etude::data::abc {
namespace {

constexpr int kMiddleC = 60;
constexpr int kSemitones[] = {0, 2, 4, 5, 7, 9, 11};

}  // namespace

void VoiceBuilder::at(int line, int column) {
  if (bar_is_placed_) return;
  bar_.line = line;
  bar_.column = column;
  bar_.metre = state_.metre;
  bar_.key = state_.key;
  bar_.tempo = state_.tempo;
  bar_is_placed_ = true;
}

int VoiceBuilder::alteration(const NoteToken& token) {
  const Pitch pitch{token.step, token.octave};
  if (token.accidental) {
    accidentals_[pitch] = *token.accidental;
    return *token.accidental;
  }
  if (const auto tied = tied_alterations_.find(pitch); tied != tied_alterations_.end()) return tied->second;
  if (const auto written = accidentals_.find(pitch); written != accidentals_.end()) return written->second;
  return state_.key.alteration[static_cast<std::size_t>(token.step)];
}

Fraction VoiceBuilder::take_factor() {
  Fraction factor = broken_factor_;
  broken_factor_ = 1;
  if (tuplet_left_ > 0) {
    factor = factor * tuplet_factor_;
    --tuplet_left_;
  }
  return factor;
}

void VoiceBuilder::note(const NoteToken& token) {
  if (!in_chord_) chord_ = Group{bar_.notes.size(), 0, position_, {}, true, {}, {}};
  const int altered = alteration(token);
  WrittenNote note;
  note.offset = position_;
  note.duration = token.length * state_.unit;
  note.pitch = kMiddleC + 12 * token.octave + kSemitones[token.step] + altered + semitones_;
  if (note.pitch < 0 || note.pitch > 127) throw std::invalid_argument("a note outside MIDI's 128 keys");
  chord_.pitches.emplace_back(token.step, token.octave);
  chord_.alterations.push_back(altered);
  bar_.notes.push_back(note);
  ++chord_.count;
  // The first note of a chord says how long the chord lasts; the others may sound longer or shorter.
  if (chord_.count == 1) chord_length_ = note.duration;
  if (!in_chord_) close_group(chord_length_);
}

void VoiceBuilder::rest(const RestToken& token) {
  if (in_chord_) return;
  chord_ = Group{bar_.notes.size(), 0, position_, {}, true, {}, {}};
  if (!token.bars) return close_group(token.length * state_.unit);
  if (state_.metre.free) throw std::invalid_argument("a rest of whole bars needs a metre (M:)");
  if (token.length.denominator() != 1) throw std::invalid_argument("a rest of whole bars with a broken length");
  bar_.measures = static_cast<int>(token.length.numerator());
  position_ = position_ + state_.metre.length() * token.length;
  bar_.length = std::max(bar_.length, position_);
  chord_.duration = state_.metre.length() * token.length;
  last_ = std::move(chord_);
}

void VoiceBuilder::begin_chord() {
  if (in_chord_) throw std::invalid_argument("a chord inside a chord");
  in_chord_ = true;
  chord_ = Group{bar_.notes.size(), 0, position_, {}, true, {}, {}};
}

void VoiceBuilder::end_chord(const ChordEndToken& token) {
  if (!in_chord_) throw std::invalid_argument("']' without the chord's '['");
  in_chord_ = false;
  if (chord_.count == 0) return;
  for (std::size_t i = 0; i < chord_.count; ++i) {
    WrittenNote& note = bar_.notes[chord_.first + i];
    note.duration = note.duration * token.length;
  }
  // A tie inside the brackets holds one note, and has been noted with it.
  close_group(chord_length_ * token.length);
}

void VoiceBuilder::close_group(const Fraction& duration) {
  const Fraction factor = take_factor();
  for (std::size_t i = 0; i < chord_.count; ++i) {
    WrittenNote& note = bar_.notes[chord_.first + i];
    note.duration = note.duration * factor;
  }
  chord_.duration = duration * factor;
  position_ = position_ + chord_.duration;
  bar_.length = std::max(bar_.length, position_);
  tied_alterations_.clear();
  for (std::size_t i = 0; i < chord_.count; ++i) {
    if (bar_.notes[chord_.first + i].tied) tied_alterations_[chord_.pitches[i]] = chord_.alterations[i];
  }
  last_ = std::move(chord_);
  chord_ = Group{};
}

void VoiceBuilder::tie() {
  if (in_chord_) {
    if (chord_.count == 0) throw std::invalid_argument("a tie without a note before it");
    bar_.notes[chord_.first + chord_.count - 1].tied = true;
    return;
  }
  if (!last_.present || last_.count == 0) throw std::invalid_argument("a tie without a note before it");
  for (std::size_t i = 0; i < last_.count; ++i) {
    bar_.notes[last_.first + i].tied = true;
    tied_alterations_[last_.pitches[i]] = last_.alterations[i];
  }
}

void VoiceBuilder::tuplet(const TupletToken& token) {
  // (2 and (4 and (8 fill three, (3 and (6 two; (5, (7 and (9 two or three, as the metre is.
  const auto usual = [this](int notes) {
    if (notes == 3 || notes == 6) return 2;
    if (notes == 2 || notes == 4 || notes == 8) return 3;
    return state_.metre.compound() ? 3 : 2;
  };
  tuplet_factor_ = Fraction(token.in_time.value_or(usual(token.notes)), token.notes);
  tuplet_left_ = token.affected.value_or(token.notes);
}

void VoiceBuilder::broken(const BrokenToken& token) {
  if (!last_.present) throw std::invalid_argument("a broken rhythm without a note before it");
  const Fraction shorter(1, 1 << std::abs(token.strength));
  const Fraction longer = Fraction(2) - shorter;
  const Fraction before = token.strength > 0 ? longer : shorter;
  for (std::size_t i = 0; i < last_.count; ++i) {
    WrittenNote& note = bar_.notes[last_.first + i];
    note.duration = note.duration * before;
  }
  const bool longest = bar_.length == position_;
  last_.duration = last_.duration * before;
  position_ = last_.offset + last_.duration;
  bar_.length = longest ? position_ : std::max(bar_.length, position_);
  broken_factor_ = token.strength > 0 ? shorter : longer;
}

void VoiceBuilder::overlay() {
  if (in_chord_) throw std::invalid_argument("an overlay inside a chord");
  // The overlaid notes are a voice of their own that begins with the bar.
  position_ = 0;
  ++layer_;
  last_ = Group{};
  accidentals_.clear();
  tied_alterations_.clear();
}

void VoiceBuilder::close_bar() {
  if (in_chord_) throw std::invalid_argument("a chord without its ']' before the bar's end");
  voice_.bars.push_back(std::move(bar_));
  bar_ = Bar{};
  bar_is_placed_ = false;
  position_ = 0;
  layer_ = 0;
  last_ = Group{};
}

void VoiceBuilder::bar(const BarToken& token) {
  const bool was_empty = bar_is_empty();
  const bool has_sign = token.repeats > 0 || token.thick || token.begins;
  if (was_empty && !has_sign && !bar_.begins_repeat && bar_.passes == 0) {
    bar_is_placed_ = false;  // a bar sign at the beginning of a line
    return;
  }
  bar_.repeats = token.repeats;
  bar_.ends_section = token.thick || token.repeats > 0 || token.begins;
  close_bar();
  accidentals_.clear();
  bar_.begins_repeat = token.begins;
}

void VoiceBuilder::ending(const EndingToken& token) {
  if (layer_ > 0) throw std::invalid_argument("an ending inside an overlay");
  if (!bar_is_empty()) {
    bar_.split = true;
    close_bar();
  }
  bar_.passes = token.passes;
}

void VoiceBuilder::set_metre(const Metre& metre) {
  state_.metre = metre;
  if (bar_is_empty()) bar_.metre = metre;
}

void VoiceBuilder::set_key(const Key& key) {
  state_.key = key;
  accidentals_.clear();
  if (bar_is_empty()) bar_.key = key;
}

void VoiceBuilder::set_tempo(double quarters_per_minute) {
  state_.tempo = quarters_per_minute;
  if (bar_is_empty()) {
    bar_.tempo = quarters_per_minute;
  } else {
    bar_.tempo_changes.emplace_back(position_, quarters_per_minute);
  }
}

void VoiceBuilder::set_properties(const VoiceProperties& properties) {
  if (!properties.name.empty()) voice_.name = properties.name;
  if (properties.semitones) semitones_ = *properties.semitones;
}

Voice VoiceBuilder::finish() {
  if (!bar_is_empty() || bar_.passes != 0) close_bar();
  return std::move(voice_);
}

}  // namespace etude::data::abc
