#include "report/blind/statistics.h"

#include <cmath>
#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/oracle.h"

namespace etude::blind {
namespace {

std::optional<std::string> scipy() {
  const std::string folder = std::string(ETUDE_SOURCE_DIR) + "/.deps/oracle-optuna";
  if (testing::oracle_python() && std::filesystem::exists(folder + "/made-from")) return folder;
  return std::nullopt;
}

TEST(Wilson, SaysWhatScipySays) {
  if (!scipy()) GTEST_SKIP() << "script/setup --test installs SciPy";
  const auto rows = nlohmann::json::parse(testing::run_python(R"(
import json
from scipy.stats import binomtest
rows = []
for n in (1, 5, 6, 20, 97, 1000):
    for k in sorted({0, 1, n // 3, n // 2, n - 1, n}):
        interval = binomtest(k, n).proportion_ci(0.95, method="wilson")
        rows.append([k, n, interval.low, interval.high])
print(json.dumps(rows))
)",
                                                              {}, *scipy()));
  ASSERT_GT(rows.size(), 20u);
  for (const auto& row : rows) {
    const Interval ours = wilson(row[0], row[1]);
    EXPECT_NEAR(ours.low, row[2].get<double>(), 1e-12) << row;
    EXPECT_NEAR(ours.high, row[3].get<double>(), 1e-12) << row;
  }
}

TEST(Wilson, OfNothingIsEverything) {
  EXPECT_EQ(wilson(0, 0).low, 0);
  EXPECT_EQ(wilson(0, 0).high, 1);
}

// Two models: the strengths' difference is the logit of the win rate. 30 of 40: log 3.
TEST(BradleyTerry, OfTwoIsTheLogitOfTheWinRate) {
  const auto found = bradley_terry({{0, 30}, {10, 0}});
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->smoothed);
  EXPECT_NEAR(found->log[0], std::log(3) / 2, 1e-8);
  EXPECT_NEAR(found->log[1], -std::log(3) / 2, 1e-8);
  EXPECT_NEAR(expected_rates(found->log)[0], 0.75, 1e-8);
}

// The likelihood itself, maximised by SciPy.
TEST(BradleyTerry, IsTheMaximumThatScipyFinds) {
  if (!scipy()) GTEST_SKIP() << "script/setup --test installs SciPy";
  std::mt19937 random(5);
  nlohmann::json tables = nlohmann::json::array();
  for (const std::size_t models : {3u, 4u, 6u}) {
    Wins wins(models, std::vector<double>(models, 0));
    for (std::size_t i = 0; i < models; ++i) {
      for (std::size_t j = 0; j < models; ++j) wins[i][j] = i == j ? 0 : 0.5 * static_cast<double>(1 + random() % 40);
    }
    tables.push_back(wins);
  }
  tables.push_back({{0, 3, 0}, {2, 0, 5}, {0, 4, 0}});  // the outer two never met
  tables.push_back({{0, 9, 8}, {0, 0, 6}, {0, 5, 0}});  // the first never lost
  const auto theirs = nlohmann::json::parse(testing::run_python(R"(
import json, sys
import numpy as np
from scipy.optimize import minimize
answers = []
for place, table in enumerate(json.loads(sys.argv[1])):
    wins = np.array(table, float)
    if place == 4:
        wins += 0.5 * (1 - np.eye(len(wins)))
    def loss(rest):
        b = np.append(rest, -sum(rest))
        return float((wins * np.logaddexp(0, b[None, :] - b[:, None])).sum())
    best = minimize(loss, np.zeros(len(wins) - 1), method="BFGS", options={"gtol": 1e-9})
    answers.append(list(np.append(best.x, -sum(best.x))))
print(json.dumps(answers))
)",
                                                                {tables.dump()}, *scipy()));
  for (std::size_t k = 0; k < tables.size(); ++k) {
    const auto ours = bradley_terry(tables[k].get<Wins>());
    ASSERT_TRUE(ours);
    EXPECT_EQ(ours->smoothed, k == 4);
    for (std::size_t i = 0; i < ours->log.size(); ++i) EXPECT_NEAR(ours->log[i], theirs[k][i].get<double>(), 2e-5) << k;
  }
}

TEST(BradleyTerry, DoesNotRankThoseWhoNeverMet) {
  EXPECT_FALSE(bradley_terry({{0, 3, 0, 0}, {2, 0, 0, 0}, {0, 0, 0, 1}, {0, 0, 4, 0}}));
  EXPECT_FALSE(bradley_terry({}));
}

// 5 wins to none has no maximum; half a win each way makes it 5.5 to 0.5.
TEST(BradleyTerry, OfOneWhoNeverLostIsFinite) {
  const auto found = bradley_terry({{0, 5}, {0, 0}});
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->smoothed);
  EXPECT_NEAR(found->log[0] - found->log[1], std::log(11), 1e-8);
}

// Of 0, 1, … 1000 the middle 95 % lie between 25 and 975; few groups push that outwards, and without end.
TEST(ResampledInterval, WidensWithFewGroups) {
  std::vector<double> values(1001);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>((i * 17) % 1001);
  const auto many = resampled_interval(values, 1'000'000), few = resampled_interval(values, 6);
  ASSERT_TRUE(many && few);
  EXPECT_NEAR(many->low, 25, 0.1);
  EXPECT_NEAR(many->high, 975, 0.1);
  // Student's t at 97.5 % with 5 degrees of freedom is 2.5706; times sqrt(6/5) it leaves 0.00243 in each tail.
  EXPECT_NEAR(few->low, 2.43, 0.05);
  EXPECT_NEAR(few->high, 997.57, 0.05);
  EXPECT_FALSE(resampled_interval(values, 1));
  EXPECT_FALSE(resampled_interval({1, 2, 3}, 100));
}

// Without ties half of the answers agree by chance: 3 of 4 is half of the way from there to all. With a half of ties
// chance gives (1/2)² / 2 + (1/2)² = 3/8.
TEST(ChanceCorrected, TakesWhatChanceGivesAway) {
  EXPECT_NEAR(*chance_corrected(3, 4, 0), 0.5, 1e-12);
  EXPECT_NEAR(*chance_corrected(2, 4, 0), 0, 1e-12);
  EXPECT_NEAR(*chance_corrected(0, 4, 0), -1, 1e-12);
  EXPECT_NEAR(*chance_corrected(3, 4, 0.5), (0.75 - 0.375) / 0.625, 1e-12);
  EXPECT_FALSE(chance_corrected(4, 4, 1));
  EXPECT_FALSE(chance_corrected(0, 0, 0));
}

}  // namespace
}  // namespace etude::blind
