#include "framework/train/agreement.h"

#include <csignal>
#include <limits>
#include <mutex>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/thread_ranks.h"

namespace etude::train {
namespace {

/// What each rank knows after agreeing.
std::vector<StepFacts> agreed(const std::vector<StepFacts>& facts) {
  std::vector<StepFacts> found(facts.size());
  testing::ThreadWorld(static_cast<int>(facts.size())).run([&](comm::Communicator& communicator) {
    const auto rank = static_cast<std::size_t>(communicator.rank());
    found[rank] = agree(communicator, facts[rank]);
  });
  return found;
}

TEST(Agreement, CountsLossesAndNamesTheFirstBadGrain) {
  StepFacts facts;
  facts.count(4, {1.5f, true});
  facts.count(5, {std::numeric_limits<float>::quiet_NaN(), false});
  facts.count(6, {2.25f, true});
  facts.count(7, {3.0f, false});  // its loss is finite, its gradient was not
  EXPECT_EQ(facts.loss_sum(), 3.75);
  EXPECT_EQ(facts.bad_grains, 2);
  EXPECT_EQ(facts.first_bad_grain, 5);
}

TEST(Agreement, ALossThatWouldOverflowTheSumIsBad) {
  StepFacts facts;
  for (int grain = 0; grain < 3; ++grain) facts.count(grain, {9e8f, true});
  EXPECT_EQ(facts.bad_grains, 0);
  EXPECT_NEAR(facts.loss_sum(), 2.7e9, 1e3);
  for (const float absurd : {2e9f, -2e9f, 1e30f, std::numeric_limits<float>::infinity()}) {
    facts.count(3, {absurd, true});
  }
  EXPECT_EQ(facts.bad_grains, 4);
  EXPECT_NEAR(facts.loss_sum(), 2.7e9, 1e3);
}

TEST(Agreement, TheSumHasTheSameBitsHoweverGrainsAreDealt) {
  std::vector<float> losses;
  for (int i = 0; i < 24; ++i) losses.push_back(0.1f * static_cast<float>(i * i) + 1e-3f);
  std::vector<double> sums;
  for (const std::size_t ranks : {1, 2, 3, 4}) {
    std::vector<StepFacts> facts(ranks);
    for (std::size_t i = 0; i < losses.size(); ++i) {
      facts[i * ranks / losses.size()].count(static_cast<std::int64_t>(i), {losses[i], true});
    }
    for (const StepFacts& found : agreed(facts)) sums.push_back(found.loss_sum());
  }
  for (const double sum : sums) EXPECT_EQ(sum, sums.front());
  EXPECT_NEAR(sums.front(), 0.1 * (23 * 24 * 47 / 6) + 24e-3, 1e-3);
}

TEST(Agreement, WhatOneRankKnowsAllKnow) {
  StepFacts fine, bad, signalled, late;
  fine.loss = 8;
  bad.bad_grains = 2;
  bad.first_bad_grain = 3;
  signalled.signal = SIGTERM;
  late.out_of_time = true;
  for (const StepFacts& all : agreed({fine, bad, signalled, late, fine})) {
    EXPECT_EQ(all.loss, 16);
    EXPECT_EQ(all.bad_grains, 2);
    EXPECT_EQ(all.first_bad_grain, 3);
    EXPECT_EQ(all.signal, SIGTERM);
    EXPECT_TRUE(all.out_of_time);
  }
  for (const StepFacts& all : agreed({fine, fine})) {
    EXPECT_EQ(all.bad_grains, 0);
    EXPECT_EQ(all.first_bad_grain, -1);
    EXPECT_EQ(all.signal, 0);
    EXPECT_FALSE(all.out_of_time);
  }
}

TEST(Agreement, OfSeveralBadGrainsTheLowestIsNamedWhicheverRankHasIt) {
  StepFacts low, high, fine;
  low.bad_grains = high.bad_grains = 1;
  low.first_bad_grain = 0;
  high.first_bad_grain = 6;
  for (const auto& ranks : {std::vector{high, fine, low}, std::vector{low, high, fine}}) {
    for (const StepFacts& all : agreed(ranks)) {
      EXPECT_EQ(all.first_bad_grain, 0);
      EXPECT_EQ(all.bad_grains, 2);
    }
  }
}

}  // namespace
}  // namespace etude::train
