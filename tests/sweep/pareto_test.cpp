#include "sweep/pareto.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace etude::sweep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<std::int64_t> front(const std::vector<Direction>& directions,
                                const std::vector<std::vector<double>>& values) {
  std::vector<Trial> trials;
  for (const auto& one : values) {
    Trial trial;
    trial.number = static_cast<std::int64_t>(trials.size());
    trial.state = one.empty() ? TrialState::kRunning : TrialState::kComplete;
    trial.values = one;
    trials.push_back(trial);
  }
  return pareto_front({directions, trials});
}

// Numbers of study.best_trials of Optuna 5.0.0 for the same values.
TEST(ParetoFront, IsOptunas) {
  const auto down = Direction::kMinimize, up = Direction::kMaximize;
  EXPECT_THAT(
      front({down, up}, {{1, 1}, {2, 2}, {2, 1}, {1, 1}, {}, {0.5, 0}, {kInf, 3}, {kInf, kInf}, {-kInf, -kInf}}),
      ElementsAre(0, 1, 3, 5, 7, 8));
  EXPECT_THAT(front({down, down, down}, {{1, 2, 3}, {3, 2, 1}, {2, 2, 2}, {2, 2, 3}, {1, 2, 4}, {0, 9, 9}}),
              ElementsAre(0, 1, 2, 5));
}

TEST(ParetoFront, OfOneObjectiveIsTheBest) {
  EXPECT_THAT(front({Direction::kMaximize}, {{1}, {3}, {2}, {3}, {kNan}}), ElementsAre(1, 3));
  EXPECT_THAT(front({Direction::kMinimize}, {}), IsEmpty());
}

TEST(ParetoFront, ATrialWithoutANumberIsNoneOfTheBest) {
  EXPECT_THAT(front({Direction::kMinimize, Direction::kMinimize}, {{kNan, 0}, {1, 1}, {0}}), ElementsAre(1));
}

// Worked by hand: two points on the first front, each layer behind the last.
TEST(FrontRanks, PeelsTheFrontsOff) {
  EXPECT_THAT(front_ranks({{1, 4}, {4, 1}, {2, 5}, {5, 5}, {2, 5}, {6, 6}}), ElementsAre(0, 0, 1, 2, 1, 3));
}

// Worked by hand: the ends are infinite, between them the gaps around a point as shares of the ranges 4 and 10.
TEST(CrowdingDistances, SumTheGapsBetweenNeighbours) {
  const auto distances = crowding_distances({{0, 10}, {1, 5}, {3, 1}, {4, 0}});
  EXPECT_EQ(distances[0], kInf);
  EXPECT_EQ(distances[3], kInf);
  EXPECT_DOUBLE_EQ(distances[1], 3.0 / 4 + 9.0 / 10);
  EXPECT_DOUBLE_EQ(distances[2], 3.0 / 4 + 5.0 / 10);
}

TEST(CrowdingDistances, AreNumbersWhereLossesAreInfinite) {
  for (const double distance : crowding_distances({{0, kInf}, {1, kInf}, {2, kInf}, {kInf, -kInf}, {3, kInf}})) {
    EXPECT_GE(distance, 0);
  }
}

}  // namespace
}  // namespace etude::sweep
