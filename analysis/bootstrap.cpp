#include "analysis/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <random>
#include <stdexcept>

namespace etude::analysis {
namespace {

/// In [0, n). The standard's distributions are left to each library; its generators are not.
std::size_t draw_below(std::mt19937_64& random, std::size_t n) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::size_t>((static_cast<Wide>(random()) * n) >> 64);
}

double normal_tail(double z) { return 0.5 * std::erfc(z / std::sqrt(2.0)); }

/// The z with normal_tail(z) = tail.
double normal_quantile(double tail) {
  double low = 0, high = 40;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (normal_tail(middle) > tail ? low : high) = middle;
  }
  return (low + high) / 2;
}

/// The same of Student's t: Abramowitz and Stegun 26.7.5, to three digits from four degrees of freedom on.
double student_quantile(double tail, double freedom) {
  const double z = normal_quantile(tail);
  const double z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z, z9 = z7 * z * z;
  const double terms[] = {(z3 + z) / 4, (5 * z5 + 16 * z3 + 3 * z) / 96, (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / 384,
                          (79 * z9 + 776 * z7 + 1482 * z5 - 1920 * z3 - 945 * z) / 92160};
  double quantile = z, power = freedom;
  for (const double term : terms) {
    quantile += term / power;
    power *= freedom;
  }
  return quantile;
}

/// How likely Student's t lies between -t and t, where t = sqrt(freedom) tan(angle): Abramowitz and Stegun 26.7.3 and
/// 26.7.4.
double student_within(double angle, std::int64_t freedom) {
  const double sine = std::sin(angle), cosine = std::cos(angle);
  const std::int64_t first = freedom % 2 == 0 ? 1 : 2;
  double term = freedom % 2 == 0 ? 1 : cosine, sum = 0;
  for (std::int64_t i = first; i < freedom; i += 2) {
    sum += term;
    term *= cosine * cosine * static_cast<double>(i) / static_cast<double>(i + 1);
  }
  return freedom % 2 == 0 ? sine * sum : (angle + sine * sum) * 2 / std::numbers::pi;
}

/// How much wider few pieces make an interval of replicates that are spread normally.
double widened_by_pieces(std::size_t pieces, double confidence) {
  const double n = static_cast<double>(pieces), tail = (1 - confidence) / 2;
  return std::sqrt(n / (n - 1)) * student_quantile(tail, n - 1) / normal_quantile(tail);
}

/// Resamples that have drawn pieces without a single note, say, are no numbers.
void keep_numbers(std::vector<double>& replicates) {
  std::erase_if(replicates, [](double replicate) { return !std::isfinite(replicate); });
}

double mean_of_numbers(std::vector<double> replicates) {
  keep_numbers(replicates);
  return std::accumulate(replicates.begin(), replicates.end(), 0.0) / static_cast<double>(replicates.size());
}

/// Linear between the values in order, as NumPy's percentile.
double percentile(std::vector<double>& values, double share) {
  const double place = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(below);
  std::nth_element(values.begin(), at, values.end());
  if (below + 1 == values.size()) return *at;
  const double next = *std::min_element(at + 1, values.end());
  return *at + (place - static_cast<double>(below)) * (next - *at);
}

}  // namespace

double ratio_of_sums(const PieceSums& pieces) {
  return std::accumulate(pieces.above.begin(), pieces.above.end(), 0.0) /
         std::accumulate(pieces.below.begin(), pieces.below.end(), 0.0);
}

std::vector<std::vector<double>> replicates(std::span<const PieceSums> runs, std::size_t resamples,
                                            std::uint64_t seed) {
  std::vector<std::vector<double>> result(runs.size(), std::vector<double>(resamples));
  if (runs.empty()) return result;
  const std::size_t pieces = runs.front().above.size(), width = runs.size();
  // By pieces, so that the innermost loop below goes along memory.
  std::vector<double> above(pieces * width), below(pieces * width);
  for (std::size_t run = 0; run < width; ++run) {
    if (runs[run].above.size() != pieces || runs[run].below.size() != pieces) {
      throw std::invalid_argument("runs to be paired were measured on different numbers of pieces");
    }
    for (std::size_t piece = 0; piece < pieces; ++piece) {
      above[piece * width + run] = runs[run].above[piece];
      below[piece * width + run] = runs[run].below[piece];
    }
  }
  std::mt19937_64 random(seed);
  std::vector<double> times(pieces), sum_above(width), sum_below(width);
  for (std::size_t resample = 0; resample < resamples; ++resample) {
    std::ranges::fill(times, 0.0);
    for (std::size_t i = 0; i < pieces; ++i) ++times[draw_below(random, pieces)];
    std::ranges::fill(sum_above, 0.0);
    std::ranges::fill(sum_below, 0.0);
    for (std::size_t piece = 0; piece < pieces; ++piece) {
      if (times[piece] == 0) continue;
      const double* a = &above[piece * width];
      const double* b = &below[piece * width];
      for (std::size_t run = 0; run < width; ++run) {
        sum_above[run] += times[piece] * a[run];
        sum_below[run] += times[piece] * b[run];
      }
    }
    for (std::size_t run = 0; run < width; ++run) result[run][resample] = sum_above[run] / sum_below[run];
  }
  return result;
}

SeedSpread pooled_spread(std::span<const std::vector<double>> groups) {
  double squares = 0;
  std::int64_t freedom = 0;
  for (const std::vector<double>& group : groups) {
    if (group.size() < 2) continue;
    const double mean = std::accumulate(group.begin(), group.end(), 0.0) / static_cast<double>(group.size());
    for (const double value : group) squares += (value - mean) * (value - mean);
    freedom += std::ssize(group) - 1;
  }
  return {freedom == 0 ? 0 : std::sqrt(squares / static_cast<double>(freedom)), freedom};
}

double expanded_confidence(std::size_t pieces, double confidence) {
  return 1 - 2 * normal_tail(widened_by_pieces(pieces, confidence) * normal_quantile((1 - confidence) / 2));
}

Interval percentile_interval(std::vector<double> replicates, std::size_t pieces, double confidence) {
  keep_numbers(replicates);
  if (pieces < kFewestPieces || replicates.empty()) throw std::invalid_argument("too few pieces for an interval");
  const double tail = (1 - expanded_confidence(pieces, confidence)) / 2;
  const double low = percentile(replicates, tail);
  return {low, percentile(replicates, 1 - tail)};
}

std::vector<double> student_draws(std::int64_t freedom, std::size_t count) {
  const double n = static_cast<double>(freedom);
  const double at_zero = 2 / std::sqrt(std::numbers::pi) * std::exp(std::lgamma((n + 1) / 2) - std::lgamma(n / 2));
  std::vector<double> draws(count);
  double angle = 0;
  for (std::size_t i = count / 2; i < count; ++i) {
    const double place = (2 * static_cast<double>(i) + 1) / static_cast<double>(count) - 1;
    // Newton's steps from the quantile before: student_within() rises ever more slowly, so none goes too far.
    constexpr int kMostSteps = 60;
    for (int step = 0; step < kMostSteps; ++step) {
      const double short_of = place - student_within(angle, freedom);
      if (short_of <= 1e-15) break;
      angle += short_of / (at_zero * std::pow(std::cos(angle), n - 1));
    }
    draws[i] = std::sqrt(n) * std::tan(angle);
    draws[count - 1 - i] = -draws[i];
  }
  constexpr std::uint64_t kSeed = 2;
  std::mt19937_64 random(kSeed);
  for (std::size_t i = count; i > 1; --i) std::swap(draws[i - 1], draws[draw_below(random, i)]);
  return draws;
}

Interval interval_with_seeds(std::vector<double> replicates, std::size_t pieces, double deviation,
                             std::span<const double> draws, double confidence) {
  if (pieces < kFewestPieces || replicates.empty()) throw std::invalid_argument("too few pieces for an interval");
  if (draws.size() != replicates.size()) throw std::invalid_argument("one draw of a seed for each replicate");
  const double centre = mean_of_numbers(replicates);
  const double wider = widened_by_pieces(pieces, confidence), tail = (1 - confidence) / 2;
  for (std::size_t i = 0; i < replicates.size(); ++i) {
    replicates[i] = centre + wider * (replicates[i] - centre) + deviation * draws[i];
  }
  keep_numbers(replicates);
  if (replicates.empty()) throw std::invalid_argument("no replicate is a number");
  const double low = percentile(replicates, tail);
  return {low, percentile(replicates, 1 - tail)};
}

}  // namespace etude::analysis
