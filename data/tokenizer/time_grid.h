#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace etude::data {

struct Meter {
  int numerator = 4;
  int denominator = 4;
  bool operator==(const Meter&) const = default;
};

/// Durations of at least `from` and less than `to` beats are told apart by `steps` steps a beat.
struct BeatResolution {
  int from = 0;
  int to = 4;
  int steps = 8;
  bool operator==(const BeatResolution&) const = default;
};

/// The grid of time that tokens speak of: positions in a bar, durations, meters. A beat is one unit of the meter's
/// denominator and has the same number of positions in every meter, so an eighth of 6/8 is cut as finely as a quarter
/// of 4/4. Where meters of several denominators meet, a tick is a position of the finest of them, and positions of a
/// coarser meter are several ticks apart ("ticks per position", a power of two).
/// Shared by every tokenizer that follows MidiTok's rules; the defaults are those of MidiTok 3.1.0.
class TimeGrid {
 public:
  /// Throws Error when the parts do not make a grid.
  TimeGrid(std::vector<BeatResolution> resolutions, std::vector<Meter> meters);

  static std::vector<BeatResolution> default_resolutions();
  static std::vector<Meter> default_meters();

  const std::vector<BeatResolution>& resolutions() const { return resolutions_; }
  const std::vector<Meter>& meters() const { return meters_; }
  /// Index into meters().
  std::optional<int> find(Meter meter) const;
  int positions_per_beat() const { return positions_per_beat_; }
  int positions_per_bar(int meter) const;
  /// Of the longest meter.
  int most_positions_per_bar() const { return most_positions_per_bar_; }
  int finest_denominator() const { return finest_denominator_; }

  /// Durations as MidiTok writes them, "beats.steps.steps_per_beat", shortest first.
  const std::vector<std::string>& duration_names() const { return duration_names_; }
  /// Index into duration_names() of the nearest to `ticks`; of two equally near, the longer.
  int nearest_duration(std::int64_t ticks, int ticks_per_position) const;
  std::int64_t duration_ticks(int duration, int ticks_per_position) const {
    return static_cast<std::int64_t>(duration_positions_[static_cast<std::size_t>(duration)]) * ticks_per_position;
  }

 private:
  std::vector<BeatResolution> resolutions_;
  std::vector<Meter> meters_;
  int positions_per_beat_ = 0;
  int most_positions_per_bar_ = 0;
  int finest_denominator_ = 0;
  std::vector<std::string> duration_names_;
  std::vector<int> duration_positions_;
  /// nearest_[k][ticks] answers nearest_duration for 2^k ticks per position.
  std::vector<std::vector<std::int16_t>> nearest_;
};

}  // namespace etude::data
