// The weights a run ends with do not depend on how many ranks or threads computed them.
#include <cmath>

#include <gmock/gmock.h>

#include "tests/system/program.h"

namespace etude::testing {
namespace {

constexpr int kSteps = 200;

TEST(SameBits, OnOneTwoThreeAndFourRanksAndOnSeveralThreads) {
  ETUDE_NEEDS_MPIRUN();
  const Workshop shop;
  const ShellResult alone = etude(shop.train("alone", kSteps));
  ASSERT_EQ(alone.exit_code, 0) << alone.errors;
  const std::string expected = shop.weights("alone");
  ASSERT_GT(expected.size(), 50'000u);
  const auto losses = metrics_with(shop.run("alone"), "loss");
  const auto evaluations = metrics_with(shop.run("alone"), "eval_loss");
  ASSERT_EQ(losses.size(), static_cast<std::size_t>(kSteps));
  EXPECT_LT(losses.back()["loss"], losses.front()["loss"]);

  const ShellResult threads = etude(shop.train("threads", kSteps, "--set train.threads=3"));
  ASSERT_EQ(threads.exit_code, 0) << threads.errors;
  EXPECT_TRUE(shop.weights("threads") == expected) << "three threads end with other bits than one";

  for (const int ranks : {2, 3, 4}) {
    const std::string name = "ranks" + std::to_string(ranks);
    const ShellResult result = etude_on(ranks, shop.train(name, kSteps));
    ASSERT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_TRUE(shop.weights(name) == expected) << ranks << " ranks end with other bits than one";
    const auto theirs = metrics_with(shop.run(name), "loss");
    ASSERT_EQ(theirs.size(), losses.size());
    for (std::size_t i = 0; i < losses.size(); ++i) {
      EXPECT_EQ(theirs[i]["loss"], losses[i]["loss"]) << "loss of step " << i + 1 << " on " << ranks << " ranks";
      EXPECT_EQ(theirs[i]["norm"], losses[i]["norm"]) << "norm of step " << i + 1 << " on " << ranks << " ranks";
    }
    const auto measured = metrics_with(shop.run(name), "eval_loss");
    ASSERT_EQ(measured.size(), evaluations.size());
    for (std::size_t i = 0; i < measured.size(); ++i) EXPECT_EQ(measured[i], evaluations[i]);
  }
}

TEST(SameBits, InBfloat16Too) {
  ETUDE_NEEDS_MPIRUN();
  const Workshop shop;
  const std::string more = "--set train.precision=bfloat16";
  ASSERT_EQ(etude(shop.train("alone", 60, more)).exit_code, 0);
  ASSERT_EQ(etude_on(2, shop.train("two", 60, more)).exit_code, 0);
  EXPECT_TRUE(shop.weights("two") == shop.weights("alone"));
}

TEST(SameBits, TheFastReductionIsCloseButNotPromisedEqual) {
  ETUDE_NEEDS_MPIRUN();
  const Workshop shop;
  ASSERT_EQ(etude(shop.train("tree", 60)).exit_code, 0);
  ASSERT_EQ(etude_on(2, shop.train("fast", 60, "--set train.reduction=fast")).exit_code, 0);
  const auto tree = metrics_with(shop.run("tree"), "loss"), fast = metrics_with(shop.run("fast"), "loss");
  ASSERT_EQ(tree.size(), fast.size());
  for (std::size_t i = 0; i < tree.size(); ++i) {
    EXPECT_NEAR(fast[i]["loss"].get<double>(), tree[i]["loss"].get<double>(), 0.02) << "step " << i + 1;
  }
}

TEST(SameBits, AnotherSeedEndsWithOtherWeights) {
  const Workshop shop;
  ASSERT_EQ(etude(shop.train("one", 20)).exit_code, 0);
  ASSERT_EQ(etude(shop.train("other", 20, "--set seed=4")).exit_code, 0);
  EXPECT_FALSE(shop.weights("one") == shop.weights("other"));
}

}  // namespace
}  // namespace etude::testing
