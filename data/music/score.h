#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace etude::data {

/// Times and durations are in ticks of the score's own resolution.
struct Note {
  std::int64_t start = 0;
  std::int64_t duration = 0;
  int pitch = 60;     ///< MIDI key, 0..127
  int velocity = 64;  ///< 1..127
  bool operator==(const Note&) const = default;
};

struct Pedal {
  std::int64_t start = 0;
  std::int64_t duration = 0;
  bool operator==(const Pedal&) const = default;
};

struct Track {
  std::string name;
  int program = 0;  ///< General MIDI, 0..127
  bool drums = false;
  std::vector<Note> notes;    ///< by start; notes of one start keep the file's note-on order
  std::vector<Pedal> pedals;  ///< sustain pedal (controller 64), by start
};

struct Tempo {
  std::int64_t time = 0;
  double quarters_per_minute = 120.0;
  bool operator==(const Tempo&) const = default;
};

struct TimeSignature {
  std::int64_t time = 0;
  int numerator = 4;
  int denominator = 4;
  bool operator==(const TimeSignature&) const = default;
};

struct KeySignature {
  std::int64_t time = 0;
  int sharps = 0;  ///< negative: flats
  bool minor = false;
  bool operator==(const KeySignature&) const = default;
};

/// A piece of music as read from a file or made by a model, before and after tokens.
struct Score {
  int ticks_per_quarter = 480;
  std::string title;
  std::string composer;
  std::vector<Track> tracks;
  std::vector<Tempo> tempos;                   ///< by time; empty means 120
  std::vector<TimeSignature> time_signatures;  ///< by time; empty means 4/4
  std::vector<KeySignature> key_signatures;    ///< by time
};

/// End of the last note, in ticks; 0 for a score without notes.
std::int64_t end_of(const Score& score);
std::int64_t count_notes(const Score& score);
/// Seconds from the start of the piece to `tick`, following the tempo changes.
double seconds_at(const Score& score, std::int64_t tick);
/// The tick that lies `seconds` after the start.
std::int64_t tick_at(const Score& score, double seconds);

}  // namespace etude::data
