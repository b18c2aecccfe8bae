#include "framework/train/early_stopping.h"

#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace etude::train {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

EarlyStopping stopping(std::int64_t patience, double min_delta = 0, const std::string& metric = "eval_loss") {
  StopOptions options;
  options.metric = metric;
  options.patience = patience;
  options.min_delta = min_delta;
  return EarlyStopping(options);
}

TEST(EarlyStopping, StopsAfterSoManyEvaluationsInARowWithoutImprovement) {
  EarlyStopping early = stopping(2);
  EXPECT_TRUE(early.observe(10, 3.0));
  EXPECT_FALSE(early.observe(20, 3.5));
  EXPECT_FALSE(early.should_stop());
  EXPECT_TRUE(early.observe(30, 2.5));   // the count starts anew
  EXPECT_FALSE(early.observe(40, 2.5));  // an equal one is no improvement
  EXPECT_FALSE(early.should_stop());
  EXPECT_FALSE(early.observe(50, 2.6));
  EXPECT_TRUE(early.should_stop());
  EXPECT_EQ(early.best(), 2.5);
  EXPECT_EQ(early.best_step(), 30);
}

TEST(EarlyStopping, WithPatienceZeroNeverStops) {
  EarlyStopping early = stopping(0);
  for (int i = 0; i < 100; ++i) early.observe(i, i);
  EXPECT_FALSE(early.should_stop());
  EXPECT_EQ(early.without_improvement(), 99);
}

TEST(EarlyStopping, ImprovesByMoreThanMinDeltaOrNot) {
  EarlyStopping early = stopping(3, 0.25);
  EXPECT_TRUE(early.observe(1, 2.0));
  EXPECT_FALSE(early.observe(2, 1.75));  // by exactly that much
  EXPECT_TRUE(early.observe(3, 1.625));  // against the best, which 1.75 was not
  EXPECT_EQ(early.best(), 1.625);
}

TEST(EarlyStopping, MoreIsBetterForAccuracies) {
  EarlyStopping early = stopping(1, 0, "eval_top1");
  EXPECT_TRUE(early.observe(1, 0.2));
  EXPECT_TRUE(early.observe(2, 0.3));
  EXPECT_FALSE(early.observe(3, 0.1));
  EXPECT_TRUE(early.should_stop());
  EXPECT_EQ(early.best(), 0.3);
}

TEST(EarlyStopping, WhatIsNotFiniteIsNoImprovementAndNeverTheBest) {
  for (const double bad : {kNan, kInfinity, -kInfinity}) {
    EarlyStopping early = stopping(2);
    EXPECT_FALSE(early.observe(1, bad));  // not even as the first
    EXPECT_FALSE(early.best().has_value());
    EXPECT_TRUE(early.observe(2, 5.0));
    EXPECT_FALSE(early.observe(3, bad));
    EXPECT_FALSE(early.observe(4, bad));
    EXPECT_TRUE(early.should_stop());
    EXPECT_EQ(early.best(), 5.0);
  }
}

TEST(EarlyStopping, GoesOnFromItsStateAsIfNeverStopped) {
  const double metrics[] = {kNan, 3.1, 3.2, 0.1 + 0.2, 0.3, 0.4};
  for (std::int64_t stop = 0; stop <= 6; ++stop) {
    EarlyStopping first = stopping(2), whole = stopping(2);
    for (std::int64_t i = 0; i < stop; ++i) first.observe(i, metrics[i]);
    EarlyStopping second = stopping(2);
    second.load_state(nlohmann::json::parse(first.state().dump()));
    for (std::int64_t i = 0; i < 6; ++i) {
      const bool better = whole.observe(i, metrics[i]);
      if (i < stop) continue;
      EXPECT_EQ(second.observe(i, metrics[i]), better);
    }
    EXPECT_EQ(second.best(), whole.best());
    EXPECT_EQ(second.best_step(), whole.best_step());
    EXPECT_EQ(second.without_improvement(), whole.without_improvement());
    EXPECT_EQ(second.should_stop(), whole.should_stop());
  }
}

}  // namespace
}  // namespace etude::train
