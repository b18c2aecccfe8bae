#include "data/tokenizer/time_grid.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::data {
namespace {

/// Far above any music, low enough that no table grows beyond a few megabytes.
constexpr int kMostSteps = 96, kMostBeats = 256;
constexpr int kMostNumerator = 64, kMostDenominator = 64;

void check(const std::vector<BeatResolution>& resolutions) {
  if (resolutions.empty()) throw Error("a time grid needs at least one beat resolution, such as [0, 4, 8]");
  int finest = 0;
  for (const BeatResolution& part : resolutions) finest = std::max(finest, part.steps);
  int expected = 0;
  for (const BeatResolution& part : resolutions) {
    const bool divides = part.steps >= 1 && part.steps <= kMostSteps && finest % part.steps == 0;
    if (part.from != expected || part.to <= part.from || part.to > kMostBeats || !divides)
      throw Error(
          fmt::format("beat resolution [{}, {}, {}]: ranges of beats follow one another from 0 to at most {}, and "
                      "the steps of each divide those of the finest ({})",
                      part.from, part.to, part.steps, kMostBeats, finest));
    expected = part.to;
  }
}

void check(const std::vector<Meter>& meters) {
  for (auto meter = meters.begin(); meter != meters.end(); ++meter) {
    const bool sound = meter->numerator >= 1 && meter->numerator <= kMostNumerator && meter->denominator >= 1 &&
                       meter->denominator <= kMostDenominator &&
                       std::has_single_bit(static_cast<unsigned>(meter->denominator));
    if (!sound || std::find(meters.begin(), meter, *meter) != meter)
      throw Error(
          fmt::format("time signature {}/{}: each stands once, with a numerator of 1 to {} over a power of two up "
                      "to {}",
                      meter->numerator, meter->denominator, kMostNumerator, kMostDenominator));
  }
  // Music without a time signature is in 4/4.
  if (std::find(meters.begin(), meters.end(), Meter{4, 4}) == meters.end())
    throw Error("the time signatures must include 4/4");
}

/// For every length up to the longest duration, which duration is nearest.
std::vector<std::int16_t> nearest_table(const std::vector<int>& durations, int ticks_per_position) {
  std::vector<std::int16_t> nearest(static_cast<std::size_t>(durations.back() * ticks_per_position) + 1);
  std::size_t best = 0;
  for (std::size_t ticks = 0; ticks < nearest.size(); ++ticks) {
    const auto distance = [&](std::size_t index) {
      return std::abs(static_cast<std::int64_t>(ticks) - std::int64_t{durations[index]} * ticks_per_position);
    };
    while (best + 1 < durations.size() && distance(best + 1) <= distance(best)) ++best;
    nearest[ticks] = static_cast<std::int16_t>(best);
  }
  return nearest;
}

}  // namespace

std::vector<BeatResolution> TimeGrid::default_resolutions() { return {{0, 4, 8}, {4, 12, 4}}; }

std::vector<Meter> TimeGrid::default_meters() {
  return {{3, 8}, {12, 8}, {6, 8}, {5, 4}, {6, 4}, {3, 4}, {2, 4}, {1, 4}, {4, 4}};
}

TimeGrid::TimeGrid(std::vector<BeatResolution> resolutions, std::vector<Meter> meters)
    : resolutions_(std::move(resolutions)), meters_(std::move(meters)) {
  check(resolutions_);
  check(meters_);
  for (const BeatResolution& part : resolutions_) positions_per_beat_ = std::max(positions_per_beat_, part.steps);
  int coarsest_denominator = kMostDenominator;
  for (const Meter& meter : meters_) {
    finest_denominator_ = std::max(finest_denominator_, meter.denominator);
    coarsest_denominator = std::min(coarsest_denominator, meter.denominator);
    most_positions_per_bar_ = std::max(most_positions_per_bar_, meter.numerator * positions_per_beat_);
  }

  if (positions_per_beat_ * coarsest_denominator % 4 != 0)
    throw Error(
        fmt::format("{} positions a beat do not make a whole number of positions in a quarter note of a meter over {}",
                    positions_per_beat_, coarsest_denominator));

  const auto add_duration = [this](int beats, int steps, int steps_per_beat) {
    duration_names_.push_back(fmt::format("{}.{}.{}", beats, steps, steps_per_beat));
    duration_positions_.push_back((beats * steps_per_beat + steps) * (positions_per_beat_ / steps_per_beat));
  };
  for (const BeatResolution& part : resolutions_)
    for (int beats = part.from; beats < part.to; ++beats)
      for (int steps = 0; steps < part.steps; ++steps)
        if (beats > 0 || steps > 0) add_duration(beats, steps, part.steps);
  add_duration(resolutions_.back().to, 0, resolutions_.back().steps);

  for (int ticks = 1; ticks <= finest_denominator_ / coarsest_denominator; ticks *= 2)
    nearest_.push_back(nearest_table(duration_positions_, ticks));
}

std::optional<int> TimeGrid::find(Meter meter) const {
  const auto found = std::find(meters_.begin(), meters_.end(), meter);
  if (found == meters_.end()) return std::nullopt;
  return static_cast<int>(found - meters_.begin());
}

int TimeGrid::positions_per_bar(int meter) const {
  return meters_[static_cast<std::size_t>(meter)].numerator * positions_per_beat_;
}

int TimeGrid::nearest_duration(std::int64_t ticks, int ticks_per_position) const {
  const auto scale = static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(ticks_per_position)));
  const auto& nearest = nearest_.at(scale);
  const auto last = static_cast<std::int64_t>(nearest.size()) - 1;
  return nearest[static_cast<std::size_t>(std::clamp<std::int64_t>(ticks, 0, last))];
}

}  // namespace etude::data
