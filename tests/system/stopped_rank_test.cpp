// A rank that does not come: who is missing is said, and the run can go on.
#include <gmock/gmock.h>

#include "tests/system/processes.h"

namespace etude::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kResumeMe = 75;
constexpr int kSteps = 150;

class StoppedRank : public ::testing::TestWithParam<int> {};

TEST_P(StoppedRank, IsNamedByAllOthersAndTheResumedRunEndsWithTheUndisturbedBits) {
  ETUDE_NEEDS_MPIRUN();
  const int ranks = GetParam(), stopped = ranks - 1;
  const Workshop shop;
  ASSERT_EQ(etude(shop.train("undisturbed", kSteps)).exit_code, 0);

  const std::string command = shop.train("stopped", kSteps, "--set checkpoint.every=10"), said = shop.run("said");
  Background run(mpirun(ranks, command + " --set train.collective_timeout=3"), said);
  ASSERT_TRUE(eventually([&] { return last_step(shop.run("stopped")) >= 30; }));
  const auto processes = etude_processes(shop.path() / "stopped.yaml");
  ASSERT_EQ(processes.size(), static_cast<std::size_t>(ranks));
  ASSERT_EQ(kill(processes.back().pid, SIGSTOP), 0);

  EXPECT_EQ(run.wait(), kResumeMe);
  EXPECT_TRUE(eventually([&] { return etude_processes(shop.path() / "stopped.yaml").empty(); })) << "a process is left";
  const std::string text = slurp(said), culprit = "rank " + std::to_string(stopped) + " does not answer (stopped";
  for (int rank = 0; rank < stopped; ++rank) {
    const std::string name = "rank-" + std::to_string(rank) + ".txt",
                      file = slurp(shop.run("stopped") / "faults" / name);
    EXPECT_THAT(text, HasSubstr("etude: rank " + std::to_string(rank) + ": "));
    EXPECT_THAT(file, AllOf(HasSubstr(culprit), HasSubstr("(step "), HasSubstr("has not been done for 3."),
                            HasSubstr("posted"), HasSubstr("done")));
    EXPECT_THAT(file, HasSubstr("etude::train::Trainer::train()")) << "the stack of the main thread is missing";
  }
  EXPECT_THAT(text, AllOf(HasSubstr(culprit), HasSubstr("--resume"), HasSubstr("faults/rank-0.txt")));

  const ShellResult resumed = etude_on(2, command + " --resume");
  ASSERT_EQ(resumed.exit_code, 0) << resumed.errors;
  EXPECT_TRUE(shop.weights("stopped") == shop.weights("undisturbed"));
}

INSTANTIATE_TEST_SUITE_P(Ranks, StoppedRank, ::testing::Values(2, 4));

TEST(StoppedRanks, AJobThatIsStoppedAsAWholeGoesOn) {
  ETUDE_NEEDS_MPIRUN();
  const Workshop shop;
  Background run(mpirun(2, shop.train("paused", kSteps, "--set train.collective_timeout=4")), shop.run("said"));
  ASSERT_TRUE(eventually([&] { return last_step(shop.run("paused")) >= 10; }));
  const auto processes = etude_processes(shop.path() / "paused.yaml");
  ASSERT_EQ(processes.size(), 2u);
  // The first to be continued, or the last to be stopped, has seen the other missing for a while.
  const auto signal_all = [&](int signal) {
    ASSERT_EQ(kill(processes[1].pid, signal), 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    ASSERT_EQ(kill(processes[0].pid, signal), 0);
  };
  signal_all(SIGSTOP);
  std::this_thread::sleep_for(std::chrono::seconds(5));
  signal_all(SIGCONT);
  EXPECT_EQ(run.wait(), 0) << slurp(shop.run("said"));
  EXPECT_EQ(last_step(shop.run("paused")), kSteps);
}

TEST(Launcher, WhenItIsKilledNoRankRemains) {
  ETUDE_NEEDS_MPIRUN();
  const Workshop shop;
  for (const int ranks : {1, 2, 4}) {
    SCOPED_TRACE(ranks);
    const std::string name = "orphaned" + std::to_string(ranks), file = shop.path() / (name + ".yaml");
    // Nothing is logged, so no rank notices by losing its terminal.
    Background run(mpirun(ranks, shop.train(name, 1'000'000,
                                            "--set train.log_every=1000000 --set checkpoint.every=5 "
                                            "--set evaluate.every=0")));
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(shop.run(name) / "checkpoints" / "last"); }));
    ASSERT_EQ(etude_processes(file).size(), static_cast<std::size_t>(ranks));
    run.signal_first(SIGKILL);
    EXPECT_EQ(run.wait(), 128 + SIGKILL);
    EXPECT_TRUE(eventually([&] { return etude_processes(file).empty(); })) << "a rank is left";
    for (const Process& left : etude_processes(file)) kill(left.pid, SIGKILL);
  }
}

}  // namespace
}  // namespace etude::testing
