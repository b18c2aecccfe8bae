#include "report/blind/resampling.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "report/blind/random.h"

namespace etude::blind {
namespace {

constexpr int kDraws = 2000;

}  // namespace

Wins wins_of(const std::vector<Vote>& votes, std::size_t models, const std::vector<double>& weights) {
  Wins wins(models, std::vector<double>(models, 0));
  for (std::size_t i = 0; i < votes.size(); ++i) {
    const double weight = weights.empty() ? 1 : weights[i];
    wins[votes[i].a][votes[i].b] += weight * votes[i].score;
    wins[votes[i].b][votes[i].a] += weight * (1 - votes[i].score);
  }
  return wins;
}

namespace {

/// What one kind of draw gives: intervals of each figure.
struct Spread {
  std::vector<std::vector<std::optional<Interval>>> rates;
  std::vector<std::optional<Interval>> expected;
};

/// Draws clusters anew: `cluster` of each vote, or none where it counts once whatever is drawn.
Spread draw_clusters(const std::vector<Vote>& votes, const std::vector<std::optional<std::size_t>>& cluster,
                     std::size_t models, Random& random) {
  std::map<std::size_t, std::size_t> place_of;
  std::vector<std::size_t> place(votes.size(), 0);  // 0: counts once
  for (std::size_t i = 0; i < votes.size(); ++i) {
    if (cluster[i]) place[i] = place_of.emplace(*cluster[i], place_of.size() + 1).first->second;
  }
  const std::size_t clusters = place_of.size();
  std::vector<double> times(clusters + 1);

  std::vector<std::vector<std::vector<double>>> rates(models, std::vector<std::vector<double>>(models));
  std::vector<std::vector<double>> expected(models);
  std::vector<double> weights(votes.size());
  for (int round = 0; round < kDraws; ++round) {
    std::fill(times.begin(), times.end(), 0.0);
    times[0] = 1;
    for (std::size_t i = 0; i < clusters; ++i) times[1 + random.below(clusters)] += 1;
    for (std::size_t i = 0; i < votes.size(); ++i) weights[i] = times[place[i]];
    const Wins wins = wins_of(votes, models, weights);
    for (std::size_t a = 0; a < models; ++a) {
      for (std::size_t b = a + 1; b < models; ++b) {
        const double all = wins[a][b] + wins[b][a];
        if (all > 0) rates[a][b].push_back(wins[a][b] / all);
      }
    }
    if (const auto strengths = bradley_terry(wins)) {
      const std::vector<double> now = expected_rates(strengths->log);
      for (std::size_t i = 0; i < models; ++i) expected[i].push_back(now[i]);
    }
  }
  Spread spread{std::vector(models, std::vector<std::optional<Interval>>(models)),
                std::vector<std::optional<Interval>>(models)};
  for (std::size_t a = 0; a < models; ++a) {
    for (std::size_t b = a + 1; b < models; ++b)
      spread.rates[a][b] = resampled_interval(std::move(rates[a][b]), clusters);
    spread.expected[a] = resampled_interval(std::move(expected[a]), clusters);
  }
  return spread;
}

/// The half-lengths of all kinds of draw around `value` together. `single`: those of single answers, which are part of
/// every other; `pairs`: of pairs of pieces, which are part of both their pieces'.
std::optional<Interval> together(double value, const std::vector<std::optional<Interval>>& kinds,
                                 const std::optional<Interval>& single, const std::optional<Interval>& pairs) {
  if (!single) return std::nullopt;
  const auto length = [&](const auto& length_of) {
    const auto square = [&](const Interval& interval) { return length_of(interval) * length_of(interval); };
    const double least = square(*single);
    const auto beyond = [&](const std::optional<Interval>& kind) {
      return kind ? std::max(0.0, square(*kind) - least) : 0.0;
    };
    double all = least - beyond(pairs);
    for (const auto& kind : kinds) all += beyond(kind);
    return std::sqrt(std::max(least, all));
  };
  const double below = length([&](const Interval& interval) { return value - interval.low; });
  const double above = length([&](const Interval& interval) { return interval.high - value; });
  return Interval{std::max(0.0, value - below), std::min(1.0, value + above)};
}

}  // namespace

Resampled resample(const std::vector<Vote>& votes, std::size_t listeners, const std::vector<std::size_t>& model_of,
                   std::size_t models, std::uint64_t seed) {
  Random random(seed);
  using Clusters = std::vector<std::optional<std::size_t>>;
  Clusters each(votes.size()), by_listener(votes.size()), by_pair(votes.size());
  std::vector<Clusters> by_piece(models, Clusters(votes.size()));
  for (std::size_t i = 0; i < votes.size(); ++i) {
    each[i] = i;
    by_listener[i] = votes[i].listener;
    by_pair[i] = votes[i].piece_a * model_of.size() + votes[i].piece_b;
    by_piece[model_of[votes[i].piece_a]][i] = votes[i].piece_a;
    by_piece[model_of[votes[i].piece_b]][i] = votes[i].piece_b;
  }
  const Spread single = draw_clusters(votes, each, models, random);
  const Spread pairs = draw_clusters(votes, by_pair, models, random);
  std::vector<Spread> kinds;
  if (listeners > 1) kinds.push_back(draw_clusters(votes, by_listener, models, random));
  for (const Clusters& pieces : by_piece) kinds.push_back(draw_clusters(votes, pieces, models, random));

  const Wins wins = wins_of(votes, models);
  const auto strengths = bradley_terry(wins);
  const std::vector<double> expected = strengths ? expected_rates(strengths->log) : std::vector<double>(models, 0.5);
  Resampled result{std::vector(models, std::vector<std::optional<Interval>>(models)),
                   std::vector<std::optional<Interval>>(models)};
  for (std::size_t a = 0; a < models; ++a) {
    std::vector<std::optional<Interval>> of_kinds;
    for (const Spread& kind : kinds) of_kinds.push_back(kind.expected[a]);
    result.expected[a] = together(expected[a], of_kinds, single.expected[a], pairs.expected[a]);
    for (std::size_t b = a + 1; b < models; ++b) {
      const double all = wins[a][b] + wins[b][a];
      if (!(all > 0)) continue;
      of_kinds.clear();
      for (const Spread& kind : kinds) of_kinds.push_back(kind.rates[a][b]);
      result.rates[a][b] = together(wins[a][b] / all, of_kinds, single.rates[a][b], pairs.rates[a][b]);
    }
  }
  return result;
}

}  // namespace etude::blind
