#include "report/blind/design.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "framework/config/error.h"
#include "report/blind/random.h"

namespace etude::blind {
namespace {

/// At half a minute a piece, answering included, about half an hour.
constexpr std::size_t kComfortable = 30;

std::vector<std::size_t> shuffled(std::size_t count, Random& random) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  random.shuffle(std::span(order));
  return order;
}

/// Whom a model meets, counted from 0 over the others.
std::size_t slot(std::size_t model, std::size_t opponent) { return opponent < model ? opponent : opponent - 1; }

}  // namespace

std::size_t default_rounds(const std::vector<std::size_t>& pieces) {
  if (pieces.size() < 2) return 2;
  const std::size_t fewest = *std::min_element(pieces.begin(), pieces.end());
  const std::size_t pairs = pieces.size() * (pieces.size() - 1) / 2;
  const std::size_t bearable = kComfortable / pairs / 2 * 2;
  return std::max<std::size_t>(2, std::min(fewest + fewest % 2, bearable));
}

std::vector<Round> balanced_design(const std::vector<std::size_t>& pieces, std::size_t rounds, std::uint64_t seed) {
  const std::size_t models = pieces.size();
  if (models < 2) throw UsageError("a listening test compares two models or more");
  if (std::find(pieces.begin(), pieces.end(), 0u) != pieces.end())
    throw UsageError("a model without pieces is not heard");
  if (rounds == 0 || rounds % 2 != 0) {
    throw UsageError(
        fmt::format("{} rounds: an even number is needed, so that each pair is heard in both orders", rounds));
  }
  Random random(seed);
  const std::vector<std::size_t> role = shuffled(models, random);
  std::vector<std::vector<std::size_t>> order;
  for (const std::size_t count : pieces) order.push_back(shuffled(count, random));

  // Against its k-th opponent a model plays its pieces number k·rounds, k·rounds + 1, … round the circle: together the
  // opponents cover one unbroken stretch of that circle, so no piece is heard twice more than another. Each opponent
  // begins elsewhere in its part of it, so that no piece is heard by all of them in one round.
  const auto piece_of = [&](std::size_t model, std::size_t opponent, std::size_t round) {
    const std::size_t k = slot(role[model], role[opponent]);
    const std::size_t turn = (round + k * rounds / (models - 1)) % rounds;
    return order[model][(k * rounds + turn) % pieces[model]];
  };
  std::vector<Round> design(rounds);
  for (std::size_t a = 0; a < models; ++a) {
    for (std::size_t b = a + 1; b < models; ++b) {
      const std::size_t begin = random.below(2);
      // After so many rounds the same pieces meet again, then in the other order.
      const std::size_t cycle = std::lcm(pieces[a], pieces[b]);
      for (std::size_t round = 0; round < rounds; ++round) {
        Comparison comparison{{a, piece_of(a, b, round)}, {b, piece_of(b, a, round)}};
        const std::size_t again = cycle % 2 == 0 ? round / cycle : 0;
        if ((begin + round + again) % 2 != 0) std::swap(comparison.first, comparison.second);
        design[round].push_back(comparison);
      }
    }
  }
  for (Round& round : design) random.shuffle(std::span(round));
  return design;
}

}  // namespace etude::blind
