#include "report/blind/design.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include <gtest/gtest.h>

#include "framework/config/error.h"

namespace etude::blind {
namespace {

using Pair = std::pair<std::size_t, std::size_t>;

struct Case {
  std::vector<std::size_t> pieces;
  std::size_t rounds;
};

std::vector<Case> many_sizes() {
  std::vector<Case> cases;
  for (std::size_t models = 2; models <= 6; ++models) {
    for (std::size_t pieces = 1; pieces <= 12; ++pieces) {
      for (const std::size_t rounds : {2u, 4u, 10u, 24u}) cases.push_back({std::vector(models, pieces), rounds});
    }
  }
  cases.push_back({{3, 7, 10}, 12});
  cases.push_back({{1, 20}, 6});
  return cases;
}

// What makes a win rate fair: nothing about a pair of models, an order or a piece is heard more often than its like.
TEST(BalancedDesign, HearsEverythingEquallyOften) {
  for (const Case& each : many_sizes()) {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const auto design = balanced_design(each.pieces, each.rounds, seed);
      const std::size_t models = each.pieces.size(), pairs = models * (models - 1) / 2;
      ASSERT_EQ(design.size(), each.rounds);
      std::map<Pair, std::size_t> by_order;
      std::vector<std::vector<std::size_t>> heard;
      for (const std::size_t count : each.pieces) heard.emplace_back(count, 0);
      for (const Round& round : design) {
        std::set<Pair> in_round;
        for (const auto& [first, second] : round) {
          ASSERT_NE(first.model, second.model);
          in_round.insert(std::minmax(first.model, second.model));
          ++by_order[{first.model, second.model}];
          ++heard[first.model].at(first.piece);
          ++heard[second.model].at(second.piece);
        }
        EXPECT_EQ(in_round.size(), pairs) << "a round has every pair of models";
        EXPECT_EQ(round.size(), pairs) << "once";
      }
      EXPECT_EQ(by_order.size(), 2 * pairs);
      for (const auto& [order, times] : by_order) EXPECT_EQ(times, each.rounds / 2);
      for (const auto& counts : heard) {
        const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
        EXPECT_LE(*most - *least, 1u) << models << " models, " << each.pieces[0] << " pieces, " << each.rounds;
      }
    }
  }
}

TEST(BalancedDesign, NoTwoPiecesMeetTwiceWhileThereAreOthers) {
  for (const Case& each : many_sizes()) {
    const std::size_t most = *std::max_element(each.pieces.begin(), each.pieces.end());
    if (each.rounds > most) continue;
    std::set<std::vector<std::size_t>> met;
    std::size_t count = 0;
    for (const Round& round : balanced_design(each.pieces, each.rounds, 3)) {
      for (auto [x, y] : round) {
        if (x.model > y.model) std::swap(x, y);
        met.insert({x.model, x.piece, y.model, y.piece});
        ++count;
      }
    }
    EXPECT_EQ(met.size(), count);
  }
}

// One piece each: the only two there are, in one order and in the other.
TEST(BalancedDesign, TwoPiecesThatMeetAgainDoSoInTheOtherOrder) {
  for (const std::size_t pieces : {1u, 2u, 3u, 4u}) {
    std::map<std::pair<std::size_t, std::size_t>, int> leaning;
    for (const Round& round : balanced_design({pieces, pieces}, 2 * pieces, 11)) {
      for (const auto& [first, second] : round) {
        const bool turned = first.model == 1;
        leaning[{turned ? second.piece : first.piece, turned ? first.piece : second.piece}] += turned ? 1 : -1;
      }
    }
    EXPECT_EQ(leaning.size(), pieces);
    for (const auto& [pair, lean] : leaning) EXPECT_EQ(lean, 0) << pieces;
  }
}

TEST(BalancedDesign, FollowsTheSeedAndNothingElse) {
  const auto flat = [](std::uint64_t seed) {
    std::vector<std::size_t> numbers;
    for (const Round& round : balanced_design({8, 8, 8}, 8, seed)) {
      for (const auto& [x, y] : round) numbers.insert(numbers.end(), {x.model, x.piece, y.model, y.piece});
    }
    return numbers;
  };
  EXPECT_EQ(flat(1), flat(1));
  std::set<std::vector<std::size_t>> different;
  for (std::uint64_t seed = 0; seed < 50; ++seed) different.insert(flat(seed));
  EXPECT_EQ(different.size(), 50u);
}

// Whether the first model is heard first in the first round is a coin's throw: 200 throws, five deviations are 35.
TEST(BalancedDesign, NoModelBegins) {
  int begins = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) begins += balanced_design({4, 4}, 4, seed)[0][0].first.model == 0;
  EXPECT_NEAR(begins, 100, 35);
}

TEST(BalancedDesign, StaysBearableWhereNobodyAsks) {
  EXPECT_EQ(default_rounds({10, 10}), 10u);
  EXPECT_EQ(default_rounds({9, 10}), 10u);  // even
  EXPECT_EQ(default_rounds({1, 1}), 2u);
  EXPECT_EQ(default_rounds({10, 10, 10, 10}), 4u);  // six pairs a round, 24 comparisons
  EXPECT_EQ(default_rounds({99, 99}), 30u);
  EXPECT_EQ(default_rounds(std::vector<std::size_t>(12, 3)), 2u);
}

TEST(BalancedDesign, RefusesWhatCannotBeBalanced) {
  EXPECT_THROW(balanced_design({5}, 2, 1), UsageError);
  EXPECT_THROW(balanced_design({5, 0}, 2, 1), UsageError);
  EXPECT_THROW(balanced_design({5, 5}, 3, 1), UsageError);
  EXPECT_THROW(balanced_design({5, 5}, 0, 1), UsageError);
}

}  // namespace
}  // namespace etude::blind
