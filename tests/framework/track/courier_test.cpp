// Whatever a tracker does, training is not held up, what was measured arrives in order or is counted as lost, and a
// person is told once.
#include "framework/track/courier.h"

#include <atomic>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace etude::track {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// What a tracker was told, and how it behaves.
struct Tracker {
  std::mutex mutex;
  std::vector<std::string> heard;
  std::atomic<int> failures = 0;  ///< so many calls are answered with Away first
  std::atomic<int> losses = 0;    ///< and so many with figures after that
  std::atomic<bool> refuses = false;
  std::atomic<bool> hangs = false;  ///< until interrupted
  std::atomic<bool> interrupted = false;

  void hear(const std::string& what) {
    while (hangs && !interrupted) std::this_thread::sleep_for(1ms);
    if (hangs) throw Away("cut off");
    if (failures > 0 && failures-- > 0) throw Away("nobody there");
    if (what.starts_with("tell") && losses > 0 && losses-- > 0) throw Away("nobody there");
    if (refuses) throw Refused("not wanted");
    const std::lock_guard lock(mutex);
    heard.push_back(what);
  }
};

class Wire final : public Channel {
 public:
  explicit Wire(Tracker& tracker) : tracker_(tracker) {}
  void begin(const log::RunFacts& facts) override { tracker_.hear("begin " + facts.name); }
  void tell(const std::vector<Message>& messages) override {
    std::string steps;
    for (const Message& message : messages) steps += " " + std::to_string(message.figures.step);
    tracker_.hear("tell" + steps);
  }
  void end(log::State state, double) override { tracker_.hear(std::string("end ") + log::name_of(state)); }
  std::size_t most_at_once() const override { return 3; }
  void interrupt() override { tracker_.interrupted = true; }

 private:
  Tracker& tracker_;
};

class CourierTest : public ::testing::Test {
 protected:
  CourierTest() { patience_ = {.first_pause = 1ms, .longest_pause = 4ms, .most_waiting = 10, .farewell = 2s}; }

  /// A run of so many steps, told by a courier of its own.
  void run(int steps, log::State state = log::State::kFinished) {
    Courier courier(
        "track.test", std::make_unique<Wire>(tracker_), [this](const std::string& text) { said_.push_back(text); },
        patience_);
    courier.begin({.name = "small", .folder = {}, .metrics = {}, .config = {}, .settings = {}, .circumstances = {}});
    for (int step = 1; step <= steps; ++step) courier.step({step, 0, {{"loss", 1.0}}});
    courier.end(state);
  }
  /// All steps that the tracker has heard of.
  std::vector<int> steps() const {
    std::vector<int> found;
    for (const std::string& one : tracker_.heard) {
      if (!one.starts_with("tell")) continue;
      std::istringstream text(one.substr(4));
      for (int step = 0; text >> step;) found.push_back(step);
    }
    return found;
  }

  Tracker tracker_;
  Patience patience_;
  std::vector<std::string> said_;
};

TEST_F(CourierTest, TellsAllInOrder) {
  run(7);
  EXPECT_EQ(tracker_.heard.front(), "begin small");
  EXPECT_EQ(tracker_.heard.back(), "end finished");
  EXPECT_THAT(steps(), ElementsAre(1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(said_, IsEmpty());
}

TEST_F(CourierTest, TellsLaterWhatCouldNotBeTold) {
  tracker_.failures = 5;
  tracker_.losses = 3;
  run(7, log::State::kStopped);
  EXPECT_EQ(tracker_.heard.back(), "end stopped");
  EXPECT_THAT(steps(), ElementsAre(1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(said_, ElementsAre(AllOf(HasSubstr("track.test: nobody there"), HasSubstr("training goes on"))));
}

TEST_F(CourierTest, DropsTheOldestAndSaysHowMany) {
  patience_.farewell = patience_.farewell_to_absent = 50ms;
  tracker_.failures = 1'000'000;
  run(25);
  EXPECT_THAT(tracker_.heard, IsEmpty());
  EXPECT_THAT(said_, ElementsAre(HasSubstr("nobody there"), HasSubstr("25 of 25 messages")));

  said_.clear();
  patience_ = {
      .first_pause = 200ms, .longest_pause = 200ms, .most_waiting = 10, .farewell = 20s, .farewell_to_absent = 20s};
  tracker_.failures = 1;
  run(25);
  EXPECT_EQ(steps().back(), 25);
  EXPECT_LE(steps().size(), 10U + 3U);  // those that waited, and those that were on their way
  EXPECT_THAT(said_.back(), HasSubstr(std::to_string(25 - steps().size()) + " of 25 messages"));
}

TEST_F(CourierTest, LeavesATrackerAloneThatDoesNotWantTheRun) {
  tracker_.refuses = true;
  run(7);
  EXPECT_THAT(said_, ElementsAre(AllOf(HasSubstr("not wanted"), HasSubstr("nothing of this run")),
                                 HasSubstr("7 of 7 messages")));
}

TEST_F(CourierTest, WaitsForAHangingTrackerAtTheEndAloneAndNotForEver) {
  patience_.farewell = 100ms;
  tracker_.hangs = true;
  auto done = std::async(std::launch::async, [&] { run(7); });
  ASSERT_EQ(done.wait_for(60s), std::future_status::ready);
  EXPECT_TRUE(tracker_.interrupted);
  EXPECT_THAT(said_.back(), HasSubstr("7 of 7 messages"));
}

TEST_F(CourierTest, ARunThatNeverSaysHowItEndedFailed) {
  {
    Courier courier(
        "track.test", std::make_unique<Wire>(tracker_), [](const std::string&) {}, patience_);
    courier.begin({});
  }
  EXPECT_EQ(tracker_.heard.back(), "end failed");
}

}  // namespace
}  // namespace etude::track
