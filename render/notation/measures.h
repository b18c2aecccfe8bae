#pragma once

#include <cstdint>
#include <vector>

#include "render/notation/notation.h"

namespace etude::render {

/// A stretch that is counted as one, cut into equal steps.
struct Beat {
  std::int64_t begin = 0;  ///< units
  int length = kUnitsPerQuarter;
  int step = kUnitsPerQuarter / 4;  ///< of the grid its notes lie on: 12, 6, 3 and parts of three, 16, 8, 4
  std::int64_t end() const { return begin + length; }
  bool ternary() const { return step % 3 != 0; }
};

/// How a meter is counted.
struct Pulse {
  int beat = kUnitsPerQuarter;  ///< units; a dotted quarter in 6/8, 9/8, 12/8
  bool compound = false;        ///< a beat has three parts
  int strong = 0;               ///< notes do not hide multiples of this: the middle of 4/4; 0 where there is none
};
Pulse pulse_of(const data::TimeSignature& meter);

/// Measures without music that cover `end` units, at least one: meters at 16ths, those that cannot be written passed
/// over; an upbeat is a short first measure. With `most`, no more than so many. Throws Error for more than 20,000.
std::vector<Measure> lay_out(const data::Score& score, std::int64_t end, std::int64_t upbeat, std::size_t most = 0);

/// The beats of all measures.
std::vector<Beat> beats_of(const std::vector<Measure>& measures);

/// The index of the beat or measure that `time` lies in; the first or last for a time outside.
std::size_t beat_at(const std::vector<Beat>& beats, std::int64_t time);
std::size_t measure_at(const std::vector<Measure>& measures, std::int64_t time);

/// Ticks to units, not rounded.
double units_at(const data::Score& score, std::int64_t tick);

}  // namespace etude::render
