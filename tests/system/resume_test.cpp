// A run that is stopped, however roughly, goes on as if it never had been.
#include <gmock/gmock.h>

#include "tests/system/program.h"

namespace etude::testing {
namespace {

constexpr int kResumeMe = 75;

TEST(Resume, AfterKillNineEndsWithTheUndisturbedBits) {
  ETUDE_NEEDS_MPIRUN();
  const Workshop shop;
  ASSERT_EQ(etude(shop.train("undisturbed", 200)).exit_code, 0);

  const std::string killed = shop.train("killed", 200, "--set checkpoint.every=7");
  for (const std::int64_t until : {20, 90, 150}) {
    Background run(mpirun(2, killed + " --resume"));
    ASSERT_TRUE(eventually([&] { return last_step(shop.run("killed")) >= until; }));
    run.signal_all(SIGKILL);
    EXPECT_EQ(run.wait(), 128 + SIGKILL);
    // The ranks are not mpirun's process group; they are found by what they were started with.
    run_shell("pkill -9 -f " + (shop.path() / "killed.yaml").string());
    ASSERT_LT(last_step(shop.run("killed")), 200) << "the run was over before it could be killed";
  }
  const ShellResult last = etude_on(4, killed + " --resume");
  ASSERT_EQ(last.exit_code, 0) << last.errors;
  EXPECT_TRUE(shop.weights("killed") == shop.weights("undisturbed"));

  const auto expected = metrics_with(shop.run("undisturbed"), "loss"), rows = metrics_with(shop.run("killed"), "loss");
  ASSERT_EQ(rows.size(), expected.size()) << "steps missing from or doubled in metrics.jsonl";
  for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i]["loss"], expected[i]["loss"]) << "step " << i + 1;
}

TEST(Resume, SignalsWriteACheckpointAndEndWithTheirOwnCode) {
  const Workshop shop;
  ASSERT_EQ(etude(shop.train("undisturbed", 120)).exit_code, 0);
  const std::string command = shop.train("stopped", 120, "--set checkpoint.every=0");
  std::int64_t until = 10;
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) {
    Background run(etude_program() + " " + command + " --resume");
    ASSERT_TRUE(eventually([&] { return last_step(shop.run("stopped")) >= until; }));
    run.signal_first(signal);
    EXPECT_EQ(run.wait(), kResumeMe) << "signal " << signal;
    until = last_step(shop.run("stopped")) + 10;
  }
  ASSERT_EQ(etude(command + " --resume").exit_code, 0);
  EXPECT_TRUE(shop.weights("stopped") == shop.weights("undisturbed"));
}

TEST(Resume, OneRankBeingSignalledStopsAllTogether) {
  ETUDE_NEEDS_MPIRUN();
  const Workshop shop;
  Background run(mpirun(2, shop.train("stopped", 100'000, "--set checkpoint.every=0 --set evaluate.every=0")));
  ASSERT_TRUE(eventually([&] { return last_step(shop.run("stopped")) >= 5; }));
  run_shell("pkill -TERM -n -f '^" + etude_program() + " train " + (shop.path() / "stopped.yaml").string() + "'");
  EXPECT_EQ(run.wait(), kResumeMe);
  EXPECT_TRUE(std::filesystem::exists(shop.run("stopped") / "checkpoints" / "last" / "model.safetensors"));
}

TEST(Resume, ATimeLimitEndsTheRunToBeResumed) {
  const Workshop shop;
  EXPECT_EQ(etude(shop.train("limited", 100'000, "--set train.time_limit=0.5")).exit_code, kResumeMe);
  EXPECT_GT(last_step(shop.run("limited")), 0);
}

TEST(Resume, GoesBackToTheNewestCheckpointThatIsWhole) {
  const Workshop shop;
  ASSERT_EQ(etude(shop.train("undisturbed", 60)).exit_code, 0);
  const std::string command = shop.train("damaged", 60, "--set checkpoint.every=20");
  ASSERT_EQ(etude(command + " --set train.time_limit=0").exit_code, 0);
  std::filesystem::resize_file(shop.run("damaged") / "checkpoints" / "last" / "optimizer.safetensors", 1000);
  const ShellResult resumed = etude(command + " --resume");
  ASSERT_EQ(resumed.exit_code, 0) << resumed.errors;
  EXPECT_THAT(resumed.errors, ::testing::HasSubstr("optimizer.safetensors: has 1000 bytes"));
  EXPECT_TRUE(shop.weights("damaged") == shop.weights("undisturbed"));
}

TEST(Resume, RefusesWhatWouldChangeTheResult) {
  const Workshop shop;
  const std::string command = shop.train("run", 10);
  ASSERT_EQ(etude(command).exit_code, 0);
  const ShellResult other = etude(command + " --resume --set seed=9 --set model.width=64 --set train.steps=20");
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.errors, ::testing::AllOf(::testing::HasSubstr("seed: was 3, is 9"), ::testing::HasSubstr("model")));
}

TEST(Resume, ARunFolderInUseOrFullIsRefused) {
  const Workshop shop;
  const std::string command = shop.train("run", 100'000);
  Background first(etude_program() + " " + command);
  ASSERT_TRUE(eventually([&] { return last_step(shop.run("run")) >= 1; }));
  const ShellResult second = etude(command + " --resume");
  EXPECT_EQ(second.exit_code, 2);
  EXPECT_THAT(second.errors, ::testing::HasSubstr("another run is writing here"));
  first.signal_first(SIGTERM);
  EXPECT_EQ(first.wait(), kResumeMe);
  const ShellResult third = etude(command);
  EXPECT_EQ(third.exit_code, 2);
  EXPECT_THAT(third.errors, ::testing::HasSubstr("holds a run already"));
}

}  // namespace
}  // namespace etude::testing
