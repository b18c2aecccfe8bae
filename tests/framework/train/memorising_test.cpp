#include "framework/train/memorising.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gmock/gmock.h>

namespace etude::train {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// Evaluations every 100 steps, each with the mean of the training losses before it.
MemorisingWatch watch(const std::vector<double>& training, const std::vector<double>& evaluation) {
  MemorisingWatch watch;
  for (std::size_t i = 0; i < evaluation.size(); ++i) {
    watch.trained(training[i] - 0.5);
    watch.trained(training[i] + 0.5);
    watch.evaluated(static_cast<std::int64_t>(i + 1) * 100, evaluation[i]);
  }
  return watch;
}

TEST(Memorising, IsSaidOfATrainingLossThatFallsWhileTheOtherRises) {
  const auto found = watch({4, 3, 2.4, 1.8, 1.4, 1.0}, {4, 3.1, 2.8, 2.9, 3.2, 3.5}).found();
  ASSERT_TRUE(found.has_value());
  // The best is step 300, so steps 200 and 300 are what steps 500 and 600 are compared with.
  EXPECT_EQ(found->since, 300);
  EXPECT_DOUBLE_EQ(found->training_then, 2.7);
  EXPECT_DOUBLE_EQ(found->training_now, 1.2);
  EXPECT_DOUBLE_EQ(found->evaluation_then, 2.95);
  EXPECT_DOUBLE_EQ(found->evaluation_now, 3.35);
  EXPECT_DOUBLE_EQ(found->gap(), 2.15);
  EXPECT_THAT(in_words(*found), AllOf(HasSubstr("step 300"), HasSubstr("from 2.700 to 1.200"),
                                      HasSubstr("has risen by 0.400"), HasSubstr("2.150 above")));
}

TEST(Memorising, IsSaidWhereHardlyAnythingIsCarriedOver) {
  const auto found = watch({4, 3, 2.5, 2.2, 1.9, 1.6}, {4, 3.2, 2.8, 2.77, 2.75, 2.74}).found();
  ASSERT_TRUE(found.has_value());
  EXPECT_THAT(in_words(*found), HasSubstr("has fallen by only"));
}

TEST(Memorising, IsNotSaidWhileBothFall) {
  EXPECT_FALSE(watch({4, 3, 2.5, 2.2, 1.9, 1.6}, {4.4, 3.5, 3.1, 2.9, 2.7, 2.5}).ever_found());
}

TEST(Memorising, IsNotSaidOfAGapThatWasAlwaysThere) {
  EXPECT_FALSE(watch({2.0, 2.01, 1.99, 2.0, 2.0, 1.99}, {3.0, 3.0, 3.01, 3.0, 3.02, 3.01}).ever_found());
}

TEST(Memorising, IsNotSaidOfTwoLossesThatAreClose) {
  EXPECT_FALSE(watch({4, 3, 2.5, 2.3, 2.2, 2.1}, {4, 3, 2.2, 2.21, 2.23, 2.25}).ever_found());
}

TEST(Memorising, IsNotSaidForOneNoisyEvaluation) {
  EXPECT_FALSE(watch({4, 3.6, 3.3, 3.0, 2.7, 2.5}, {4.2, 3.8, 3.5, 3.2, 3.0, 3.2}).ever_found());
}

TEST(Memorising, IsStillFoundLongAfterTheTurn) {
  std::vector<double> training{4, 3, 2.0, 1.2}, evaluation{4, 3, 2.9, 3.4};
  training.insert(training.end(), 40, 1.0);
  evaluation.insert(evaluation.end(), 40, 3.6);
  EXPECT_TRUE(watch(training, evaluation).found().has_value());
}

TEST(Memorising, NeedsFourEvaluationsAndNumbers) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(watch({4, 2, 1}, {3, 4, 5}).ever_found());
  EXPECT_FALSE(watch({4, 2, kNan, 1}, {3, 4, 5, 5}).ever_found());
  EXPECT_FALSE(watch({4, 2, 1, 1}, {3, 4, kNan, 5}).ever_found());
  MemorisingWatch never_trained;
  for (int step = 1; step < 10; ++step) never_trained.evaluated(step, step);
  EXPECT_FALSE(never_trained.ever_found());
}

TEST(Memorising, RemembersThatItHeld) {
  const MemorisingWatch healed =
      watch({4, 3, 2.4, 1.8, 1.4, 1.0, 1.0, 1.0, 1.0}, {4, 3.1, 2.8, 2.9, 3.2, 3.5, 1.0, 1.0, 1.0});
  EXPECT_FALSE(healed.found().has_value());
  EXPECT_TRUE(healed.ever_found());
}

}  // namespace
}  // namespace etude::train
