#include "analysis/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <random>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "tests/support/oracle.h"

namespace etude {
namespace {

using analysis::Interval;
using analysis::PieceSums;

/// The folder with SciPy, or nothing where script/setup --test has not made it.
std::optional<std::string> scipy() {
  const std::string folder = std::string(ETUDE_SOURCE_DIR) + "/.deps/oracle-optuna";
  if (testing::oracle_python() && std::filesystem::exists(folder + "/scipy")) return folder;
  return std::nullopt;
}

std::vector<double> numbers_in(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<double>(stream), {}};
}

/// Two runs on pieces of different length and hardness, the second `lead` nats per note better.
std::array<PieceSums, 2> two_runs(std::size_t pieces, double lead, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> hardness(3, 0.6), luck(0, 0.08);
  std::exponential_distribution<double> length(1.0 / 300);
  std::array<PieceSums, 2> runs;
  for (std::size_t i = 0; i < pieces; ++i) {
    const double notes = 20 + std::floor(length(random)), hard = hardness(random);
    runs[0].above.push_back(notes * (hard + luck(random)));
    runs[1].above.push_back(notes * (hard - lead + luck(random)));
    for (PieceSums& run : runs) run.below.push_back(notes);
  }
  return runs;
}

std::vector<double> differences(const std::array<PieceSums, 2>& runs, std::size_t resamples, std::uint64_t seed = 1) {
  const auto drawn = analysis::replicates(runs, resamples, seed);
  std::vector<double> difference(resamples);
  for (std::size_t i = 0; i < resamples; ++i) difference[i] = drawn[0][i] - drawn[1][i];
  return difference;
}

TEST(Bootstrap, ARatioOfSumsWeighsPiecesByTheirNotes) {
  EXPECT_DOUBLE_EQ(analysis::ratio_of_sums({{10, 90}, {10, 30}}), 2.5);  // and not the mean of 1 and 3
}

TEST(Bootstrap, IntervalsAreThoseOfSciPy) {
  const auto folder = scipy();
  if (!folder) GTEST_SKIP() << "no SciPy: script/setup --test makes .deps/oracle-optuna";
  const auto runs = two_runs(30, 0.05, 7);
  const std::string script = fmt::format(R"(
import numpy as np
from scipy import stats
a, b, notes = np.array({}), np.array({}), np.array({})
n = len(a)
# What a percentile interval has to be asked for, so that it is one of 95 % (Hesterberg 2015, section 5.3).
level = 1 - 2 * stats.norm.sf(np.sqrt(n / (n - 1)) * stats.t.ppf(0.975, n - 1))
ratio = lambda a, b, notes, axis=-1: (a.sum(axis) - b.sum(axis)) / notes.sum(axis)
found = stats.bootstrap((a, b, notes), ratio, paired=True, vectorized=True, n_resamples=40000, method='percentile',
                        confidence_level=level, rng=np.random.default_rng(3)).confidence_interval
print(level, found.low, found.high)
)",
                                         runs[0].above, runs[1].above, runs[0].below);
  const std::vector<double> oracle = numbers_in(testing::run_python(script, {}, *folder));
  ASSERT_EQ(oracle.size(), 3u);
  EXPECT_NEAR(analysis::expanded_confidence(30, 0.95), oracle[0], 2e-5);
  const Interval interval = analysis::percentile_interval(differences(runs, 40000), 30);
  const double width = oracle[2] - oracle[1];
  EXPECT_NEAR(interval.low, oracle[1], 0.03 * width);
  EXPECT_NEAR(interval.high, oracle[2], 0.03 * width);
}

TEST(Bootstrap, FewPiecesGiveTheWiderIntervalThatStudentsTAsksFor) {
  // Tables: t(0.975, 4) = 2.7764, sqrt(5 / 4) times that is 3.1041; the normal distribution leaves 0.000954 beyond it.
  EXPECT_NEAR(analysis::expanded_confidence(5, 0.95), 1 - 2 * 0.000954, 1e-5);
  EXPECT_NEAR(analysis::expanded_confidence(100000, 0.95), 0.95, 1e-5);
  EXPECT_THROW(analysis::percentile_interval({1, 2, 3}, 4), std::invalid_argument);
}

// Pieces of which few have a note: a resample may have none, and nothing to divide by.
TEST(Bootstrap, ResamplesThatAreNoNumberDoNotCount) {
  std::vector<double> numbers, all;
  for (int i = 0; i < 1000; ++i) {
    numbers.push_back((i * 377) % 1000);
    all.push_back(numbers.back());
    if (i % 3 == 0) all.push_back(i % 2 == 0 ? std::nan("") : INFINITY);
  }
  const Interval of_numbers = analysis::percentile_interval(numbers, 40),
                 of_all = analysis::percentile_interval(all, 40);
  EXPECT_EQ(of_all.low, of_numbers.low);
  EXPECT_EQ(of_all.high, of_numbers.high);
  const auto with_seeds = [](const std::vector<double>& replicates) {
    return analysis::interval_with_seeds(replicates, 40, 0, std::vector<double>(replicates.size()));
  };
  EXPECT_DOUBLE_EQ(with_seeds(all).low, with_seeds(numbers).low);
  EXPECT_DOUBLE_EQ(with_seeds(all).high, with_seeds(numbers).high);
  EXPECT_THROW(analysis::percentile_interval({std::nan("")}, 40), std::invalid_argument);
}

TEST(Bootstrap, IntervalsHoldTheTruthAsOftenAsTheyPromise) {
  // 15 pieces drawn again and again: the runs differ by 0.05 nats per note in truth.
  constexpr int kTimes = 600;
  int held = 0;
  for (int i = 0; i < kTimes; ++i) {
    held += analysis::percentile_interval(differences(two_runs(15, 0.05, 1000 + i), 1000), 15).holds(0.05);
  }
  // 95 %, less three standard deviations of a count (0.9 % each), and 1.5 % for what a bootstrap of 15 pieces lacks.
  EXPECT_GE(held, static_cast<int>(0.908 * kTimes));
  EXPECT_LE(held, static_cast<int>(0.985 * kTimes));
}

TEST(Bootstrap, TheSameArgumentsGiveTheSameBits) {
  const auto runs = two_runs(20, 0.1, 3);
  EXPECT_EQ(differences(runs, 500), differences(runs, 500));
  EXPECT_NE(differences(runs, 500), differences(runs, 500, 2));
}

TEST(Bootstrap, RunsAreDrawnTogetherSoThatWhatTheyShareCancels) {
  auto runs = two_runs(20, 0, 5);
  runs[1] = runs[0];
  for (double& nll : runs[1].above) nll *= 0.5;
  for (double& below : runs[1].below) below *= 0.5;  // the same ratio on every set of pieces
  for (const double difference : differences(runs, 200)) EXPECT_NEAR(difference, 0, 1e-12);
}

TEST(Bootstrap, SeedsArePooledOverGroups) {
  const std::vector<std::vector<double>> groups{{1, 3}, {10, 11, 12}, {5}};
  const auto spread = analysis::pooled_spread(groups);  // squares 2 and 2, over 1 + 2 degrees of freedom
  EXPECT_EQ(spread.freedom, 3);
  EXPECT_DOUBLE_EQ(spread.deviation, std::sqrt(4.0 / 3));
  EXPECT_EQ(analysis::pooled_spread(std::vector<std::vector<double>>{{5}}).freedom, 0);
}

TEST(Bootstrap, DrawsOfSeedsAreSpreadAsSciPysStudentsT) {
  const auto folder = scipy();
  if (!folder) GTEST_SKIP() << "no SciPy: script/setup --test makes .deps/oracle-optuna";
  const std::string script = R"(
import numpy as np
from scipy import stats
for freedom in (1, 2, 3, 8, 57):
    print(*stats.t.ppf((np.arange(40) + 0.5) / 40, freedom))
)";
  const std::vector<double> oracle = numbers_in(testing::run_python(script, {}, *folder));
  ASSERT_EQ(oracle.size(), 5 * 40u);
  std::size_t next = 0;
  for (const int freedom : {1, 2, 3, 8, 57}) {
    std::vector<double> draws = analysis::student_draws(freedom, 40);
    EXPECT_FALSE(std::ranges::is_sorted(draws));
    std::ranges::sort(draws);
    for (const double draw : draws) EXPECT_NEAR(draw, oracle[next++], 1e-9) << freedom;
  }
}

TEST(Bootstrap, TwoSeedsWidenTheIntervalAsStudentsTDoesHoweverFewThePieces) {
  // With nothing else that varies, the interval is t times the deviation of the mean: t(0.975, 2) = 4.3027, and 12.706
  // with one degree of freedom.
  const std::vector<double> still(10000, 1.0);
  for (const std::size_t pieces : {5, 9, 1000}) {
    for (const auto& [freedom, t] : {std::pair(2, 4.3027), std::pair(1, 12.706)}) {
      const Interval interval =
          analysis::interval_with_seeds(still, pieces, 0.1, analysis::student_draws(freedom, still.size()));
      EXPECT_NEAR(interval.low, 1 - 0.1 * t, 0.003);
      EXPECT_NEAR(interval.high, 1 + 0.1 * t, 0.003);
    }
  }
}

TEST(Bootstrap, WhereSeedsMoveNothingFewPiecesAskForAsMuchAsWithoutThem) {
  const std::vector<double> difference = differences(two_runs(9, 0.05, 4), 20000);
  const Interval without = analysis::percentile_interval(difference, 9);
  const Interval with = analysis::interval_with_seeds(difference, 9, 0, analysis::student_draws(4, difference.size()));
  EXPECT_NEAR(with.high - with.low, without.high - without.low, 0.1 * (without.high - without.low));
}

}  // namespace
}  // namespace etude
