#include "analysis/bars.h"

#include <algorithm>
#include <cmath>

namespace etude::analysis {
namespace {

/// 4 * kParts divides by every denominator that MIDI can write.
constexpr int kLargestDenominator = 4 * Bars::kParts;

bool usable(const data::TimeSignature& signature) {
  return signature.numerator > 0 && signature.denominator > 0 && kLargestDenominator % signature.denominator == 0;
}

}  // namespace

Bars::Bars(const data::Score& score, int steps_per_quarter) {
  const std::int64_t ticks = std::max(1, score.ticks_per_quarter);
  const std::int64_t steps = steps_per_quarter > 0 ? steps_per_quarter : ticks;
  const auto in_units = [&](std::int64_t tick) -> std::int64_t {
    if (steps == ticks) return tick;
    return std::llround(static_cast<double>(tick) * static_cast<double>(steps) / static_cast<double>(ticks));
  };
  stretches_.push_back({0, 4 * kParts * steps, 0});
  for (const data::TimeSignature& signature : score.time_signatures) {
    if (!usable(signature)) continue;
    const std::int64_t length = 4 * kParts / signature.denominator * signature.numerator * steps;
    const std::int64_t begin = in_units(signature.time);
    Stretch& last = stretches_.back();
    if (begin <= last.begin) {
      last.length = length;
    } else if (length != last.length) {
      const std::int64_t passed = (begin - last.begin) * kParts;
      stretches_.push_back({begin, length, last.bar + (passed + last.length - 1) / last.length});
    }
  }
}

Bars::Place Bars::place_of(std::int64_t time) const {
  time = std::max<std::int64_t>(time, 0);
  const auto after = std::upper_bound(stretches_.begin() + 1, stretches_.end(), time,
                                      [](std::int64_t t, const Stretch& stretch) { return t < stretch.begin; });
  const Stretch& stretch = *std::prev(after);
  const std::int64_t passed = (time - stretch.begin) * kParts;
  return {stretch.bar + passed / stretch.length, passed % stretch.length};
}

const Bars::Stretch& Bars::stretch_with(std::int64_t bar) const {
  const auto after = std::upper_bound(stretches_.begin() + 1, stretches_.end(), bar,
                                      [](std::int64_t b, const Stretch& stretch) { return b < stretch.bar; });
  return *std::prev(after);
}

std::int64_t Bars::length_of(std::int64_t bar) const {
  const Stretch& stretch = stretch_with(bar);
  if (&stretch == &stretches_.back()) return stretch.length;
  const Stretch& next = *(&stretch + 1);
  const std::int64_t begin = (bar - stretch.bar) * stretch.length;
  return std::min(stretch.length, (next.begin - stretch.begin) * kParts - begin);
}

std::int64_t Bars::begin_of(std::int64_t bar) const {
  const Stretch& stretch = stretch_with(bar);
  return stretch.begin + (bar - stretch.bar) * stretch.length / kParts;
}

}  // namespace etude::analysis
