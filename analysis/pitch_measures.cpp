#include "analysis/pitch_measures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <numeric>
#include <span>

namespace etude::analysis {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
using PitchClasses = std::array<double, 12>;

template <typename Visit>
void each_pitched_note(const data::Score& score, Visit visit) {
  for (const data::Track& track : score.tracks) {
    if (!track.drums) std::for_each(track.notes.begin(), track.notes.end(), visit);
  }
}

std::array<double, 128> count_pitches(const data::Score& score) {
  std::array<double, 128> counts{};
  each_pitched_note(
      score, [&](const data::Note& note) { counts[static_cast<std::size_t>(std::clamp(note.pitch, 0, 127))] += 1; });
  return counts;
}

PitchClasses count_pitch_classes(const data::Score& score) {
  const auto pitches = count_pitches(score);
  PitchClasses counts{};
  for (std::size_t pitch = 0; pitch < pitches.size(); ++pitch) counts[pitch % 12] += pitches[pitch];
  return counts;
}

double count_used(std::span<const double> counts) {
  return static_cast<double>(std::count_if(counts.begin(), counts.end(), [](double count) { return count > 0; }));
}

double entropy(std::span<const double> counts) {
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  if (total == 0) return kNan;
  double bits = 0;
  for (const double count : counts) {
    if (count > 0) bits -= count / total * std::log2(count / total);
  }
  return std::max(0.0, bits);
}

double share_in_scale(const PitchClasses& counts, Key key) {
  constexpr std::array<std::size_t, 7> kMajor{0, 2, 4, 5, 7, 9, 11}, kMinor{0, 2, 3, 5, 7, 8, 10};
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  double in_scale = 0;
  for (const std::size_t step : key.minor ? kMinor : kMajor) {
    in_scale += counts[(step + static_cast<std::size_t>(key.root)) % 12];
  }
  return total > 0 ? in_scale / total : kNan;
}

double correlation(const PitchClasses& a, const PitchClasses& b) {
  const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / 12;
  const double mean_b = std::accumulate(b.begin(), b.end(), 0.0) / 12;
  double products = 0, squares_a = 0, squares_b = 0;
  for (std::size_t i = 0; i < 12; ++i) {
    products += (a[i] - mean_a) * (b[i] - mean_b);
    squares_a += (a[i] - mean_a) * (a[i] - mean_a);
    squares_b += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return products / std::sqrt(squares_a * squares_b);
}

/// Of a profile that stands for C, that of `root`.
PitchClasses on_root(const PitchClasses& profile, int root) {
  PitchClasses turned = profile;
  std::rotate(turned.begin(), turned.end() - root, turned.end());
  return turned;
}

/// Calls `visit` for each of the 24.
template <typename Visit>
void each_key(Visit visit) {
  for (const bool minor : {false, true}) {
    for (int root = 0; root < 12; ++root) visit(Key{root, minor});
  }
}

}  // namespace

double pitch_range(const data::Score& score) {
  const auto counts = count_pitches(score);
  const auto used = [](double count) { return count > 0; };
  const auto lowest = std::find_if(counts.begin(), counts.end(), used);
  if (lowest == counts.end()) return 0;
  const auto highest = std::find_if(counts.rbegin(), counts.rend(), used);
  return static_cast<double>(highest.base() - 1 - lowest);
}

double pitches_used(const data::Score& score) { return count_used(count_pitches(score)); }
double pitch_classes_used(const data::Score& score) { return count_used(count_pitch_classes(score)); }
double pitch_entropy(const data::Score& score) { return entropy(count_pitches(score)); }
double pitch_class_entropy(const data::Score& score) { return entropy(count_pitch_classes(score)); }

double pitch_in_scale_rate(const data::Score& score, Key key) {
  return share_in_scale(count_pitch_classes(score), key);
}

double scale_consistency(const data::Score& score) {
  const PitchClasses counts = count_pitch_classes(score);
  double best = kNan;
  each_key([&](Key key) { best = std::fmax(best, share_in_scale(counts, key)); });
  return best;
}

std::optional<Key> best_key(const data::Score& score) {
  constexpr PitchClasses kMajor{6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88};
  constexpr PitchClasses kMinor{6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17};
  PitchClasses sounding{};
  each_pitched_note(score, [&](const data::Note& note) {
    const auto pitch_class = static_cast<std::size_t>(std::clamp(note.pitch, 0, 127) % 12);
    sounding[pitch_class] += static_cast<double>(std::max<std::int64_t>(0, note.duration));
  });
  if (std::adjacent_find(sounding.begin(), sounding.end(), std::not_equal_to<>()) == sounding.end()) return {};
  std::optional<Key> best;
  double highest = -2;  // below every correlation
  each_key([&](Key key) {
    const double fit = correlation(sounding, on_root(key.minor ? kMinor : kMajor, key.root));
    if (fit <= highest) return;
    highest = fit;
    best = key;
  });
  return best;
}

}  // namespace etude::analysis
