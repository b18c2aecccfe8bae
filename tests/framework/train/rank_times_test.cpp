#include "framework/train/rank_times.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/thread_ranks.h"

namespace etude::train {
namespace {

using ::testing::HasSubstr;

TEST(RankTimes, ARankIsSlowAgainstTheMedianOfTheOthers) {
  EXPECT_EQ(RankTimes::straggler({1.0}), -1);
  EXPECT_EQ(RankTimes::straggler({1.0, 1.29}), -1);
  EXPECT_EQ(RankTimes::straggler({1.0, 1.31}), 1);
  EXPECT_EQ(RankTimes::straggler({2.0, 1.0, 1.1, 0.9}), 0);
  EXPECT_EQ(RankTimes::straggler({1.0, 1.5, 1.5, 1.5}), -1) << "one that is fast makes none slow";
}

/// What is said after each of the reports, of `steps` steps each, in which rank 1 takes so many milliseconds a step.
std::vector<std::string> told(const std::vector<int>& milliseconds, int steps, std::int64_t rounds = 1) {
  std::vector<std::string> said;
  testing::ThreadWorld(3).run([&](comm::Communicator& communicator) {
    const bool slow = communicator.rank() == 1;
    RankTimes times(slow ? rounds : 1);
    for (const int each : milliseconds) {
      for (int step = 0; step < steps; ++step) {
        times.add(std::chrono::milliseconds(slow ? each : 10 + communicator.rank()));
      }
      const RankSeconds seconds = times.gather(communicator);
      if (each == 60) {
        EXPECT_NEAR(seconds.min, 0.010, 1e-9);
        EXPECT_NEAR(seconds.median, 0.012, 1e-9);
        EXPECT_NEAR(seconds.max, 0.060, 1e-9);
        EXPECT_EQ(seconds.slowest, 1);
      }
      const auto news = times.news();
      if (communicator.rank() == 0) said.push_back(news.value_or(""));
    }
  });
  return said;
}

TEST(RankTimes, TheSlowOneIsNamedOnceWhenItStaysSlowAndAgainWhenItIsNot) {
  const std::vector<std::string> said = told({60, 60, 60, 10, 10, 10}, 5);
  EXPECT_EQ(said[0], "") << "one report is no evidence";
  EXPECT_THAT(said[1], HasSubstr("rank 1 is slow"));
  EXPECT_EQ(said[2], "") << "it was said before";
  EXPECT_EQ(said[3], "");
  EXPECT_THAT(said[4], HasSubstr("rank 1 is no longer slower"));
  EXPECT_EQ(said[5], "");
}

TEST(RankTimes, ARankWithMoreMicroBatchesIsNotSlow) {
  for (const std::string& words : told({60, 60, 60}, 5, 6)) EXPECT_EQ(words.find("rank 1 is slow"), std::string::npos);
}

}  // namespace
}  // namespace etude::train
