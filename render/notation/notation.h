#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/music/score.h"

namespace etude::render {

/// Time in notation is counted in units: a quarter has 48, so that 64th notes (3) and triplets of 32nds (4) are whole.
inline constexpr int kUnitsPerQuarter = 48;
inline constexpr int kUnitsPerWhole = 4 * kUnitsPerQuarter;

/// A pitch as it is written: B♭3 is {'B', -1, 3}.
struct Spelling {
  char step = 'C';
  int alter = 0;   ///< semitones: 1 sharp, -1 flat, ±2 double
  int octave = 4;  ///< 4 holds middle C
  bool operator==(const Spelling&) const = default;
};

struct WrittenNote {
  int pitch = 60;  ///< MIDI key
  Spelling spelling;
  bool accidental = false;  ///< a sign stands before it, a natural too
  bool tied_back = false;   ///< goes on from the note before
  bool tied_on = false;     ///< goes on in the next note
};

enum class Mark { kNone, kBegin, kInside, kEnd };

/// A chord or a rest as it stands on the paper: one note value.
struct Element {
  int offset = 0;    ///< units from the beginning of its measure
  int duration = 0;  ///< units
  int type = 4;      ///< 1 whole, 2 half, 4 quarter, … 64; 0 breve
  int dots = 0;
  std::vector<WrittenNote> notes;  ///< lowest first; none for a rest
  bool whole_measure = false;      ///< the rest of an empty measure, whatever its length
  bool staccato = false;
  int tuplet_notes = 0;  ///< 3 where three stand for two, 6 where six stand for four; 0 elsewhere
  Mark tuplet = Mark::kNone;
  std::vector<Mark> beams;  ///< eighths' beam first; kNone in a place is a hook
  bool hook_back = false;   ///< hooks of this note point to the left
};

enum class Clef { kTreble, kBass };

struct Staff {
  Clef clef = Clef::kTreble;
  std::array<std::vector<Element>, 2> voices;  ///< upper and lower; the lower may be empty, else each fills the measure
};

struct Measure {
  std::int64_t begin = 0;  ///< units from the beginning of the piece
  int length = kUnitsPerWhole;
  data::TimeSignature meter;
  data::KeySignature key;
  bool shows_meter = false;
  bool shows_key = false;
  bool incomplete = false;  ///< an upbeat, or cut short by a change of meter
  std::optional<double> quarters_per_minute;
  std::vector<Staff> staves;
};

/// A piece as a pianist reads it.
struct Notation {
  std::string title;
  std::string composer;
  int staves = 2;  ///< one for a melody alone
  std::vector<Measure> measures;
};

struct NotationOptions {
  /// Length of the upbeat in ticks, where its source knows: the first whole bar begins there.
  std::int64_t upbeat = 0;
};

/// Writes a score down for piano: drums left out, time on a grid that is chosen beat by beat, hands on two staves, up
/// to two voices each. Throws Error for a piece of more than 20,000 measures.
Notation notate(const data::Score& score, const NotationOptions& options = {});

/// A key in words: "E-flat major".
std::string key_name(const data::KeySignature& key);

}  // namespace etude::render
