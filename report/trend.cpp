#include <algorithm>
#include <cmath>

#include "report/standing.h"

namespace etude::report {
namespace {

constexpr double kSame = 0.005;  ///< share of a loss by which two are not told apart
constexpr std::size_t kFewest = 3;
constexpr std::size_t kFewestForNoise = 5;

/// A straight line by least squares.
struct Line {
  double slope = 0;
  double error = 0;  ///< standard error of the slope
};

Line fit(const std::vector<double>& x, const std::vector<double>& y) {
  const auto count = static_cast<double>(x.size());
  double mean_x = 0, mean_y = 0;
  for (std::size_t i = 0; i < x.size(); ++i) mean_x += x[i] / count, mean_y += y[i] / count;
  double xx = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  if (!(xx > 0)) return {};
  Line line{xy / xx, 0};
  double squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double off = y[i] - mean_y - line.slope * (x[i] - mean_x);
    squares += off * off;
  }
  line.error = std::sqrt(squares / (count - 2) / xx);
  return line;
}

/// Standard deviation of one value around a smooth curve. Second differences of independent normal values have the
/// variance 6 σ², and their lower quartile is -0.6745 of its root. A curve that falls ever more slowly bends upwards,
/// so what bends downwards is noise, and what bends upwards may be the curve.
double noise_of(const std::vector<double>& loss) {
  std::vector<double> bends;
  for (std::size_t i = 2; i < loss.size(); ++i) bends.push_back(loss[i] - 2 * loss[i - 1] + loss[i - 2]);
  if (bends.empty()) return 0;
  const auto quartile = bends.begin() + static_cast<std::ptrdiff_t>((bends.size() - 1) / 4);
  std::ranges::nth_element(bends, quartile);
  return std::max(0.0, -*quartile) / (0.6745 * std::sqrt(6.0));
}

double mean(const std::vector<double>& values, std::size_t begin, std::size_t end) {
  double sum = 0;
  for (std::size_t i = begin; i < end; ++i) sum += values[i];
  return sum / static_cast<double>(end - begin);
}

std::vector<double> from(const std::vector<double>& values, std::size_t begin) {
  return {values.begin() + static_cast<std::ptrdiff_t>(begin), values.end()};
}

}  // namespace

Trend trend_of(const Series& curve) {
  Trend trend;
  const std::size_t size = curve.size();
  if (size < kFewest) return trend;
  const std::vector<double>& loss = curve.loss;

  // Where tokens are not known, steps stand for them: a doubling of the one is a doubling of the other.
  const bool known = std::ranges::all_of(curve.tokens, [](double tokens) { return tokens > 0; });
  const std::vector<double>& effort = known ? curve.tokens : curve.step;
  const auto half = std::ranges::lower_bound(effort, effort.back() / 2);
  const std::size_t begin = std::min(static_cast<std::size_t>(half - effort.begin()), size - kFewest);
  // Not from the curve's beginning, whose bend is no noise.
  trend.noise = noise_of(from(loss, std::min(begin, size - std::min(size, kFewestForNoise))));
  const double same = std::max(kSame * loss.back(), 2 * trend.noise);

  std::vector<double> doublings = from(effort, begin);
  for (double& each : doublings) each = std::log2(std::max(each, 1.0));
  const Line by_doubling = fit(doublings, from(loss, begin));
  trend.per_doubling = by_doubling.slope;
  trend.per_thousand_steps = 1000 * fit(from(curve.step, begin), from(loss, begin)).slope;

  const auto best = static_cast<std::size_t>(std::ranges::min_element(loss) - loss.begin());
  const double around_best = mean(loss, best > 0 ? best - 1 : 0, std::min(best + 2, size));
  if (best + 2 < size && mean(loss, size - 2, size) - around_best > 2 * same) {
    trend.direction = Direction::kRising;
    trend.since = curve.step[best];
  } else if (-by_doubling.slope > std::max(same, 2 * by_doubling.error)) {
    trend.direction = Direction::kFalling;
  } else {
    trend.direction = Direction::kFlat;
    const auto first = std::ranges::find_if(loss, [&](double each) { return each <= loss[best] + same; });
    trend.since = curve.step[static_cast<std::size_t>(first - loss.begin())];
  }
  return trend;
}

}  // namespace etude::report
