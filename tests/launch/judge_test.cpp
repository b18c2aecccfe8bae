#include "launch/judge.h"

#include <gmock/gmock.h>

namespace etude::launch {
namespace {

using Next = Verdict::Next;

Attempt attempt(Cause cause, int code, std::int64_t first, std::int64_t last, bool trained = true) {
  Attempt made;
  made.cause = cause;
  made.code = code;
  made.first_step = first;
  made.last_step = last;
  made.trained = trained;
  return made;
}

TEST(Judge, StartsWhatHasNotBeenTried) { EXPECT_EQ(judge({}, 0, true).next, Next::kStart); }

TEST(Judge, LeavesAloneWhatIsDoneOrWasStopped) {
  EXPECT_EQ(judge({attempt(Cause::kDone, 0, 0, 100)}, 9, false).next, Next::kDone);
  EXPECT_EQ(judge({attempt(Cause::kDone, 0, 0, 100)}, 9, true).next, Next::kDone);
  EXPECT_EQ(judge({attempt(Cause::kAsked, 75, 0, 50)}, 9, true).next, Next::kStop);
  EXPECT_EQ(judge({attempt(Cause::kBudget, 75, 0, 50)}, 9, true).next, Next::kStop);
}

TEST(Judge, DoesNotRepeatMisuse) { EXPECT_EQ(judge({attempt(Cause::kMisuse, 2, 0, 0)}, 9, false).next, Next::kFail); }

TEST(Judge, GoesOnAfterANodeDiedOrTimeWasUpAtOnce) {
  for (const Cause cause : {Cause::kLost, Cause::kTimeLimit}) {
    const Verdict verdict = judge({attempt(cause, 75, 0, 40)}, 9, true);
    EXPECT_EQ(verdict.next, Next::kStart);
    EXPECT_EQ(verdict.wait_seconds, cause == Cause::kTimeLimit ? 0 : 1);
  }
}

TEST(Judge, LetsWhoeverEndedAJobDecideWhetherItGoesOn) {
  const std::vector attempts{attempt(Cause::kTerminated, 75, 0, 40)};
  EXPECT_EQ(judge(attempts, 9, false).next, Next::kStop);
  EXPECT_EQ(judge(attempts, 9, true).next, Next::kStart);
}

TEST(Judge, DoesNotLoopOverAFailureAtOneStep) {
  const auto once = attempt(Cause::kFailed, 1, 0, 40), again = attempt(Cause::kFailed, 1, 30, 40);
  EXPECT_EQ(judge({once}, 9, false).next, Next::kStart);
  const Verdict verdict = judge({once, again}, 9, false);
  EXPECT_EQ(verdict.next, Next::kFail);
  EXPECT_THAT(verdict.why, ::testing::HasSubstr("step 40"));
  // Another step, another way, or another kind of end in between: something is different.
  EXPECT_EQ(judge({once, attempt(Cause::kFailed, 1, 40, 50)}, 9, false).next, Next::kStart);
  EXPECT_EQ(judge({once, attempt(Cause::kKilled, 137, 30, 40)}, 9, false).next, Next::kStart);
  EXPECT_EQ(judge({once, attempt(Cause::kLost, 0, 30, 40), again}, 9, false).next, Next::kStart);
}

TEST(Judge, BlamesNobodyForNodesThatDieAtOneStep) {
  EXPECT_EQ(judge({attempt(Cause::kLost, 0, 0, 0), attempt(Cause::kLost, 0, 0, 0)}, 9, true).next, Next::kStart);
}

TEST(Judge, SeesATimeLimitThatLeavesNoTimeForAStep) {
  const auto progress = attempt(Cause::kTimeLimit, 75, 0, 40), none = attempt(Cause::kTimeLimit, 75, 40, 40);
  EXPECT_EQ(judge({progress}, 9, true).next, Next::kStart);
  EXPECT_EQ(judge({progress, none}, 9, true).next, Next::kFail);
}

TEST(Judge, CountsRestarts) {
  std::vector<Attempt> attempts;
  for (std::int64_t i = 0; i < 4; ++i) attempts.push_back(attempt(Cause::kTimeLimit, 75, 10 * i, 10 * i + 10));
  EXPECT_EQ(judge(attempts, 4, true).next, Next::kStart);
  EXPECT_EQ(judge(attempts, 3, true).next, Next::kFail);
  EXPECT_EQ(judge({attempt(Cause::kLost, 0, 0, 10)}, 0, true).next, Next::kFail);
}

TEST(Judge, WaitsLongerWhileNothingIsAchievedButNeverLongerThanFiveMinutes) {
  std::vector<Attempt> attempts{attempt(Cause::kKilled, 137, 0, 40)};
  EXPECT_EQ(judge(attempts, 99, false).wait_seconds, 1);
  double before = 1;
  for (int i = 0; i < 12; ++i) {
    attempts.push_back(attempt(Cause::kLost, 0, 40, 40));
    const double pause = judge(attempts, 99, false).wait_seconds;
    EXPECT_EQ(pause, std::min(300.0, 2 * before));
    before = pause;
  }
  attempts.push_back(attempt(Cause::kKilled, 137, 40, 60));
  EXPECT_EQ(judge(attempts, 99, false).wait_seconds, 1);
}

TEST(Judge, IsPatientWithRanksThatDoNotBeginButNotForEver) {
  std::vector<Attempt> attempts;
  for (int i = 0; i < 5; ++i) attempts.push_back(attempt(Cause::kFailed, 1, 0, 0, false));
  EXPECT_EQ(judge(attempts, 99, false).next, Next::kStart);
  attempts.push_back(attempt(Cause::kFailed, 1, 0, 0, false));
  EXPECT_EQ(judge(attempts, 99, false).next, Next::kFail);
}

}  // namespace
}  // namespace etude::launch
