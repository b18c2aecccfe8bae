#include "report/blind/resampling.h"

#include <algorithm>
#include <utility>

#include "report/blind/random.h"

namespace etude::blind {
namespace {

constexpr int kDraws = 2000;

/// How often each member of a group is drawn when as many are drawn as there are.
void draw(const std::vector<std::size_t>& group, Random& random, std::vector<double>& times) {
  for (std::size_t i = 0; i < group.size(); ++i) times[group[random.below(group.size())]] += 1;
}

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

Resampled resample(const std::vector<Vote>& votes, std::size_t listeners, const std::vector<std::size_t>& model_of,
                   std::size_t models, std::uint64_t seed) {
  // Only what was heard can be drawn: unanswered pieces would thin the draws out.
  std::vector<std::size_t> everybody;
  std::vector<std::vector<std::size_t>> pieces(models);
  std::vector<bool> heard(model_of.size(), false), spoke(listeners, false);
  for (const Vote& vote : votes) heard[vote.piece_a] = heard[vote.piece_b] = spoke[vote.listener] = true;
  for (std::size_t i = 0; i < listeners; ++i) {
    if (spoke[i]) everybody.push_back(i);
  }
  for (std::size_t i = 0; i < heard.size(); ++i) {
    if (heard[i]) pieces[model_of[i]].push_back(i);
  }

  Random random(seed);
  std::vector<std::vector<std::vector<double>>> rates(models, std::vector<std::vector<double>>(models));
  std::vector<std::vector<double>> expected(models);
  std::vector<double> weights(votes.size());
  for (int round = 0; round < kDraws; ++round) {
    std::vector<double> of_listener(listeners, 0), of_piece(model_of.size(), 0);
    draw(everybody, random, of_listener);
    for (const auto& group : pieces) draw(group, random, of_piece);
    for (std::size_t i = 0; i < votes.size(); ++i) {
      weights[i] = of_listener[votes[i].listener] * of_piece[votes[i].piece_a] * of_piece[votes[i].piece_b];
    }
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
  Resampled result{
      std::vector<std::vector<std::optional<Interval>>>(models, std::vector<std::optional<Interval>>(models)),
      std::vector<std::optional<Interval>>(models)};
  // A single listener is not drawn anew: then only the pieces are.
  std::size_t scarcest = everybody.size() > 1 ? everybody.size() : model_of.size();
  for (const auto& group : pieces) scarcest = std::min(scarcest, group.size());
  for (std::size_t a = 0; a < models; ++a) {
    for (std::size_t b = a + 1; b < models; ++b)
      result.rates[a][b] = resampled_interval(std::move(rates[a][b]), scarcest);
    result.expected[a] = resampled_interval(std::move(expected[a]), scarcest);
  }
  return result;
}

}  // namespace etude::blind
