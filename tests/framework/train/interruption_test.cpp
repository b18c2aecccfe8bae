#include "framework/train/interruption.h"

#include <csignal>
#include <thread>

#include <gtest/gtest.h>

namespace etude::train {
namespace {

TEST(Interruption, NotesSignalsInsteadOfDying) {
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) {
    const Interruption interruption(0);
    EXPECT_EQ(interruption.signal(), 0);  // what came before it is forgotten
    std::raise(signal);
    EXPECT_EQ(interruption.signal(), signal);
  }
  EXPECT_EQ(signal_name(SIGTERM), "SIGTERM");
  EXPECT_EQ(signal_name(SIGINT), "SIGINT");
  EXPECT_EQ(signal_name(SIGUSR1), "SIGUSR1");
}

TEST(Interruption, LetsSignalsDoTheirWorkAgainWhenItIsGone) {
  { const Interruption interruption(0); }
  EXPECT_EXIT(std::raise(SIGTERM), ::testing::KilledBySignal(SIGTERM), "");
}

TEST(Interruption, TheThirdControlCEndsTheProcess) {
  const auto press = [](int times) {
    const Interruption interruption(0);
    for (int i = 0; i < times; ++i) std::raise(SIGINT);
    std::_Exit(7);
  };
  EXPECT_EXIT(press(2), ::testing::ExitedWithCode(7), "");
  EXPECT_EXIT(press(3), ::testing::KilledBySignal(SIGINT), "");
}

TEST(Interruption, TimeRunsOutOnlyWhereThereIsALimit) {
  const Interruption endless(0), ended(1e-9), long_one(1e6);
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_FALSE(endless.out_of_time());
  EXPECT_TRUE(ended.out_of_time());
  EXPECT_FALSE(long_one.out_of_time());
}

}  // namespace
}  // namespace etude::train
