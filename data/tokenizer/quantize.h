#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "data/music/score.h"
#include "data/tokenizer/time_grid.h"
#include "data/tokenizer/vocabulary.h"

namespace etude::data {

/// The velocities that have a token: `count` of them, evenly up to 127.
class VelocityScale {
 public:
  /// Throws Error when count is not 1..127.
  explicit VelocityScale(int count = 32);
  const std::vector<int>& values() const { return values_; }
  /// Index into values() of the nearest; of two equally near, the louder.
  int nearest(int velocity) const;

 private:
  std::vector<int> values_;
  std::array<std::uint8_t, 128> nearest_{};
};

struct QuantizedNote {
  std::int64_t start = 0;  ///< ticks of the quantized score
  int pitch = 0;
  std::int16_t duration = 0;  ///< index into TimeGrid::duration_names()
  std::int16_t velocity = 0;  ///< index into VelocityScale::values()
};

/// From here to the next one, bars of one meter.
struct MeterSection {
  std::int64_t start = 0;      ///< a bar line
  int meter = 0;               ///< index into TimeGrid::meters()
  int ticks_per_position = 1;  ///< how much coarser than the piece's finest meter this one is
};

/// A piece on the grid: the notes of all pitched tracks as one stream, by start.
struct QuantizedScore {
  std::vector<QuantizedNote> notes;
  std::vector<MeterSection> sections;  ///< never empty; the first starts at 0
};

/// Puts a piece on the grid as MidiTok 3.1.0's preprocess_score does to a score of one track with the same notes:
///  - the notes of all tracks but drums, one track after the other, sorted stably by start in the file's own ticks;
///    notes of one start therefore keep the order of tracks, and within a track the order of the score;
///  - time signatures that the grid does not know are left out; music before the first is in 4/4; a change within a
///    bar waits for the next bar line; of several at one place the last counts;
///  - starts and durations are rounded apart, so a note's end is not that of the file rounded;
///  - notes outside lowest..highest are left out.
/// Throws Error for a piece too long to be music (a damaged time in a file would ask for gigabytes of empty bars).
QuantizedScore quantize(const Score& score, const TimeGrid& grid, const VelocityScale& velocities, int lowest_pitch,
                        int highest_pitch);

}  // namespace etude::data
