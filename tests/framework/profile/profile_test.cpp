#include "framework/profile/profile.h"

#include <chrono>
#include <thread>

#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace etude::profile {
namespace {

using ::testing::Contains;
using ::testing::Field;

void rest(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

const Total* find(const std::vector<Total>& totals, const std::string& name) {
  for (const Total& total : totals) {
    if (total.name == name) return &total;
  }
  return nullptr;
}

TEST(Profile, TellsASpansOwnTimeFromThatOfWhatIsWithinIt) {
  Profile profile;
  {
    const Span outer("outer");
    rest(5);
    for (int i = 0; i < 2; ++i) {
      const Span inner("inner");
      rest(20);
    }
  }
  profile.stop();
  const std::vector<Total> spans = profile.spans();
  const Total *outer = find(spans, "outer"), *inner = find(spans, "inner");
  ASSERT_TRUE(outer != nullptr && inner != nullptr);
  EXPECT_EQ(spans.front().name, "outer");
  EXPECT_EQ(outer->calls, 1);
  EXPECT_EQ(inner->calls, 2);
  EXPECT_GE(inner->seconds, 0.040);
  EXPECT_GE(outer->seconds, inner->seconds + 0.005);
  EXPECT_NEAR(outer->own_seconds, outer->seconds - inner->seconds, 1e-9);
  EXPECT_GE(profile.seconds(), outer->seconds);
}

TEST(Profile, SeesOperatorsAndAutogradOfAllThreads) {
  Profile profile;
  std::thread([] {
    const at::Tensor x = at::ones({4, 4}).requires_grad_(true);
    at::mm(x, x).sum().backward();
  }).join();
  profile.stop();
  EXPECT_THAT(profile.operators(), Contains(Field(&Total::name, "aten::mm")));
  EXPECT_THAT(profile.operators(), Contains(Field(&Total::name, "MmBackward0")));
  EXPECT_TRUE(profile.spans().empty());
}

TEST(Profile, LeavesOperatorsInTheTimeOfTheirSpan) {
  const at::Tensor x = at::ones({300, 300});
  Profile profile;
  {
    const Span span("multiply");
    at::mm(x, x);
  }
  profile.stop();
  EXPECT_EQ(profile.spans().front().own_seconds, profile.spans().front().seconds);
}

TEST(Profile, SeesNothingBeforeItsBeginningAndAfterItsEnd) {
  { const Span before("before"); }
  Profile profile;
  { const Span during("during"); }
  profile.stop();
  { const Span after("after"); }
  ASSERT_EQ(profile.spans().size(), 1u);
  EXPECT_EQ(profile.spans().front().name, "during");

  Profile another;
  { const Span later("later"); }
  another.stop();
  ASSERT_EQ(another.spans().size(), 1u);
  EXPECT_EQ(another.spans().front().name, "later");
}

TEST(Profile, WritesWhatTraceViewersOpen) {
  Profile profile;
  {
    const Span span("step");
    rest(3);
  }
  profile.stop();
  const nlohmann::json trace = profile.chrome_trace(2);
  const nlohmann::json& events = trace.at("traceEvents");
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].at("ph"), "M");
  EXPECT_EQ(events[0].at("args").at("name"), "rank 2");
  EXPECT_EQ(events[1].at("name"), "step");
  EXPECT_EQ(events[1].at("ph"), "X");
  EXPECT_EQ(events[1].at("pid"), 2);
  EXPECT_GE(events[1].at("dur").get<double>(), 3000.0);  // microseconds
  EXPECT_GE(events[1].at("ts").get<double>(), 0.0);
}

}  // namespace
}  // namespace etude::profile
