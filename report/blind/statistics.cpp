#include "report/blind/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace etude::blind {
namespace {

constexpr double kNormal = 1.959963984540054;  ///< leaves 2.5 % above

/// Who is reached from 0 along a relation.
template <typename Relation>
bool reaches_all(std::size_t count, Relation related) {
  std::vector<bool> reached(count, false);
  std::vector<std::size_t> open{0};
  reached[0] = true;
  while (!open.empty()) {
    const std::size_t from = open.back();
    open.pop_back();
    for (std::size_t to = 0; to < count; ++to) {
      if (reached[to] || !related(from, to)) continue;
      reached[to] = true;
      open.push_back(to);
    }
  }
  return std::find(reached.begin(), reached.end(), false) == reached.end();
}

void centre(std::vector<double>& values) {
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  for (double& value : values) value -= mean;
}

}  // namespace

Interval wilson(double wins, double answers) {
  if (!(answers > 0)) return {0, 1};
  const double share = wins / answers, square = kNormal * kNormal / answers;
  const double centre_of = (share + square / 2) / (1 + square);
  const double half = kNormal / (1 + square) * std::sqrt(share * (1 - share) / answers + square / (4 * answers));
  return {std::max(0.0, centre_of - half), std::min(1.0, centre_of + half)};
}

std::optional<Strengths> bradley_terry(const Wins& wins) {
  constexpr int kMost = 100'000;
  constexpr double kEnough = 1e-10;
  const std::size_t count = wins.size();
  if (count == 0) return std::nullopt;
  const auto met = [&](std::size_t i, std::size_t j) { return wins[i][j] + wins[j][i] > 0; };
  if (!reaches_all(count, met)) return std::nullopt;
  Strengths found;
  Wins counted = wins;
  found.smoothed = !reaches_all(count, [&](std::size_t i, std::size_t j) { return wins[i][j] > 0; }) ||
                   !reaches_all(count, [&](std::size_t i, std::size_t j) { return wins[j][i] > 0; });
  if (found.smoothed) {
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = 0; j < count; ++j) counted[i][j] += i != j && met(i, j) ? 0.5 : 0;
    }
  }
  std::vector<double> total(count, 0);
  for (std::size_t i = 0; i < count; ++i) total[i] = std::accumulate(counted[i].begin(), counted[i].end(), 0.0);

  found.log.assign(count, 0);
  if (count == 2) {
    found.log = {std::log(total[0] / total[1]) / 2, std::log(total[1] / total[0]) / 2};
    return found;
  }
  for (int step = 0; step < kMost; ++step) {
    double change = 0;
    for (std::size_t i = 0; i < count; ++i) {
      double weighed = 0;
      for (std::size_t j = 0; j < count; ++j) {
        const double meetings = i == j ? 0 : counted[i][j] + counted[j][i];
        if (meetings > 0) weighed += meetings / (std::exp(found.log[i]) + std::exp(found.log[j]));
      }
      if (weighed <= 0) continue;
      const double next = std::log(total[i] / weighed);
      change = std::max(change, std::abs(next - found.log[i]));
      found.log[i] = next;
    }
    centre(found.log);
    if (change < kEnough) break;
  }
  return found;
}

std::vector<double> expected_rates(const std::vector<double>& log_strengths) {
  const std::size_t count = log_strengths.size();
  std::vector<double> rates(count, 0.5);
  if (count < 2) return rates;
  for (std::size_t i = 0; i < count; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < count; ++j) {
      if (j != i) sum += 1 / (1 + std::exp(log_strengths[j] - log_strengths[i]));
    }
    rates[i] = sum / static_cast<double>(count - 1);
  }
  return rates;
}

std::optional<Interval> resampled_interval(std::vector<double> values, std::size_t groups) {
  if (groups < 2 || values.size() < 20) return std::nullopt;
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    const double place = share * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
  };
  const double tail = (1 - analysis::expanded_confidence(groups, 0.95)) / 2;
  return Interval{at(tail), at(1 - tail)};
}

std::optional<double> chance_corrected(double agreed, double pairs, double ties) {
  if (!(pairs > 0)) return std::nullopt;
  const double chance = (1 - ties) * (1 - ties) / 2 + ties * ties;
  if (chance >= 1) return std::nullopt;
  return (agreed / pairs - chance) / (1 - chance);
}

}  // namespace etude::blind
