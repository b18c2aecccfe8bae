#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "data/music/score.h"

namespace etude::analysis {

/// The bars of a piece, counted from 0. Where the time signature changes, a bar begins, so that the one before may be
/// cut short; a signature that only repeats the one in force changes nothing. 4/4 until a signature says otherwise.
class Bars {
 public:
  /// In units of `steps_per_quarter`, to which the signatures' times are rounded; 0 for the score's own ticks.
  explicit Bars(const data::Score& score, int steps_per_quarter = 0);

  /// A unit of time may be longer than a bar's shortest division (a bar of 3/8 where a quarter is one unit), so places
  /// in bars are counted in parts of it.
  static constexpr std::int64_t kParts = 64;
  struct Place {
    std::int64_t bar = 0;
    std::int64_t position = 0;  ///< parts since the bar began
    auto operator<=>(const Place&) const = default;
  };
  /// Of a time in units; what comes before 0 lies in the first bar at its begin.
  Place place_of(std::int64_t time) const;
  /// Parts.
  std::int64_t length_of(std::int64_t bar) const;
  /// Units, rounded down.
  std::int64_t begin_of(std::int64_t bar) const;

 private:
  /// Bars of one time signature.
  struct Stretch {
    std::int64_t begin = 0;   ///< units
    std::int64_t length = 0;  ///< of a whole bar, parts
    std::int64_t bar = 0;     ///< the first one
  };
  const Stretch& stretch_with(std::int64_t bar) const;

  std::vector<Stretch> stretches_;
};

}  // namespace etude::analysis
