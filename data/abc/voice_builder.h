#pragma once

#include <map>
#include <utility>
#include <vector>

#include "data/abc/lexer.h"
#include "data/abc/tune.h"

namespace etude::data::abc {

/// Puts one voice's tokens together to bars: knows what lasts from one token to the next (unit length, key, accidentals
/// of the bar, open tuplet, broken rhythm, ties, overlays). Its functions throw std::invalid_argument with what is
/// wrong.
class VoiceBuilder {
 public:
  struct State {
    Metre metre;
    Key key;
    Fraction unit{1, 8};
    std::optional<double> tempo;
  };

  VoiceBuilder(std::string id, const State& state) : state_(state) { voice_.id = std::move(id); }

  void note(const NoteToken& token);
  void rest(const RestToken& token);
  void begin_chord();
  void end_chord(const ChordEndToken& token);
  void bar(const BarToken& token);
  void ending(const EndingToken& token);
  void tuplet(const TupletToken& token);
  void broken(const BrokenToken& token);
  void tie();
  void overlay();

  void set_metre(const Metre& metre);
  void set_key(const Key& key);
  void set_unit(const Fraction& unit) { state_.unit = unit; }
  void set_tempo(double quarters_per_minute);
  void set_properties(const VoiceProperties& properties);

  const State& state() const { return state_; }
  const std::string& id() const { return voice_.id; }
  /// Where the next sign stands, kept with the bar it opens.
  void at(int line, int column);
  bool in_chord() const { return in_chord_; }
  /// Closes the last bar.
  Voice finish();

 private:
  using Pitch = std::pair<int, int>;  ///< step and octave as written

  /// The notes, or the rest, that sounded last: ties and broken rhythms reach back to it.
  struct Group {
    std::size_t first = 0;  ///< its notes in the bar
    std::size_t count = 0;
    Fraction offset;
    Fraction duration;
    bool present = false;
    std::vector<Pitch> pitches;
    std::vector<int> alterations;
  };

  int alteration(const NoteToken& token);
  /// The factor of the next group: what is left of a broken rhythm and a tuplet. Takes one note off the tuplet.
  Fraction take_factor();
  void close_group(const Fraction& duration);
  bool bar_is_empty() const {
    return bar_.notes.empty() && bar_.length == Fraction(0) && !last_.present && layer_ == 0;
  }
  void close_bar();

  Voice voice_;
  State state_;
  int semitones_ = 0;
  Bar bar_;
  bool bar_is_placed_ = false;
  Fraction position_;
  int layer_ = 0;
  Group last_;
  Group chord_;
  bool in_chord_ = false;
  Fraction chord_length_;
  Fraction broken_factor_ = 1;
  Fraction tuplet_factor_ = 1;
  int tuplet_left_ = 0;
  std::map<Pitch, int> accidentals_;  ///< written in this bar
  std::map<Pitch, int>
      tied_alterations_;  ///< of notes tied to the next group, which keep their alteration over the bar
};

}  // namespace etude::data::abc
