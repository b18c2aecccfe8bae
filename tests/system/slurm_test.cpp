// Runs given to a real Slurm of two nodes, by the program itself: they come to the bits of an undisturbed run whatever
// the cluster does to them, and nothing in a file becomes a command.
#include "tests/support/slurm.h"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/system/program.h"

namespace etude::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int kMisuse = 2;
/// Enough that something can happen on the way; for as long as that takes a test holds the ranks still.
constexpr int kSteps = 150;

class Slurm : public ::testing::Test {
 protected:
  void SetUp() override {
    try {
      cluster_ = std::make_unique<SlurmCluster>();
    } catch (const std::exception& error) {
      GTEST_SKIP() << "no Slurm can be started here: " << error.what();
    }
    shop_ = std::make_unique<Workshop>();
    setenv("XDG_STATE_HOME", (shop_->path() / "state").c_str(), 1);
  }

  /// `keys` are lines of a cluster file. Without others it is a rank on one node.
  ShellResult launch(const std::string& run, int steps, const std::string& keys, const std::string& more = "") const {
    const fs::path place = shop_->path() / "cluster.yaml";
    std::ofstream(place) << "engine: slurm\n" << keys;
    // The same words as for `train`, but the first.
    const std::string arguments = shop_->train(run, steps, "--set checkpoint.every=20 " + more).substr(5);
    return etude("launch" + arguments + " --cluster " + place.string());
  }
  void launch_well(const std::string& run, int steps, const std::string& keys, const std::string& more = "") const {
    const ShellResult result = launch(run, steps, keys, more);
    ASSERT_EQ(result.exit_code, 0) << result.errors;
  }
  void train_alone(const std::string& run, int steps, const std::string& more = "") const {
    const ShellResult result = etude(shop_->train(run, steps, "--set checkpoint.every=20 " + more));
    ASSERT_EQ(result.exit_code, 0) << result.errors;
  }
  void expect_equal_bits(const std::string& one, const std::string& other) const {
    ASSERT_FALSE(shop_->weights(one).empty());
    EXPECT_TRUE(shop_->weights(one) == shop_->weights(other)) << one << " and " << other << " differ";
  }

  Json job(const std::string& run) const {
    for (const Json& each : Json::parse(etude("jobs --json").output)) {
      if (each.at("run") == shop_->run(run).string()) return each;
    }
    throw std::runtime_error("no job is known for " + run);
  }
  std::string state(const std::string& run) const { return job(run).at("state"); }
  Json attempts(const std::string& run) const { return job(run).at("status").at("attempts"); }
  std::string slurm_id(const std::string& run) const {
    return Json::parse(slurp(shop_->run(run) / "job" / "job.json")).at("id");
  }
  std::string said(const std::string& run) const { return slurp(shop_->run(run) / "job" / "output.txt"); }
  bool comes_to_step(const std::string& run, std::int64_t step) const {
    return eventually([&] { return last_step(shop_->run(run)) >= step; });
  }
  /// Two minutes at most: Slurm takes its time about dead nodes and jobs that are started again.
  bool ends(const std::string& run) const {
    const auto over = [&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      const std::string now = state(run);
      return now == "done" || now == "stopped" || now == "failed" || now == "ended";
    };
    return eventually(over) || eventually(over);
  }
  /// Signals the ranks of a run: a stop and a continue make it last as long as a test wants.
  void signal_ranks(const std::string& run, const std::string& signal) const {
    run_shell("pkill -" + signal + " -f '^" + etude_program() + " train " + shop_->run(run).string() + "/'");
  }

  std::unique_ptr<SlurmCluster> cluster_;
  std::unique_ptr<Workshop> shop_;
};

TEST_F(Slurm, TrainsOnTwoNodesToTheBitsOfThisMachineHoweverRanksAreStarted) {
  train_alone("alone", 60);
  launch_well("srun", 60, "nodes: 2\n");
  launch_well("mpirun", 60,
              "nodes: 2\nstarter: mpirun\n"
              "environment: {OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1'}\n");
  // These two nodes have names that nobody resolves.
  launch_well("tcp", 60, "nodes: 2\nmpi: none\nenvironment: {MASTER_ADDR: 127.0.0.1}\n");
  launch_well("four", 60, "nodes: 2\nranks_per_node: 2\ncores_per_rank: 1\n");
  for (const char* run : {"srun", "mpirun", "tcp", "four"}) {
    ASSERT_TRUE(ends(run)) << said(run);
    EXPECT_EQ(state(run), "done") << said(run);
    EXPECT_THAT(said(run), HasSubstr(run == std::string("four") ? "; 4 ranks" : "; 2 ranks"));
    expect_equal_bits(run, "alone");
  }
  EXPECT_THAT(said("tcp"), HasSubstr("TCP (127.0.0.1"));
}

TEST_F(Slurm, TheTimeLimitMeansACheckpointAndBackIntoTheQueueUntilTheEnd) {
  train_alone("alone", kSteps);
  launch_well("run", kSteps, "nodes: 2\ntime: 60s\nwarning: 25s\n");
  ASSERT_TRUE(comes_to_step("run", 20)) << said("run");
  signal_ranks("run", "STOP");
  const auto signalled = [&] { return said("run").find("the time limit is near") != std::string::npos; };
  ASSERT_TRUE(eventually(signalled) || eventually(signalled)) << said("run");
  signal_ranks("run", "CONT");
  const std::string id = slurm_id("run");
  EXPECT_TRUE(eventually(
      [&] { return SlurmCluster::says("scontrol show job " + id).find("Restarts=1") != std::string::npos; }));
  run_shell("scontrol update JobId=" + id + " TimeLimit=30");
  ASSERT_TRUE(ends("run")) << said("run");
  EXPECT_EQ(state("run"), "done") << said("run");
  const Json tries = attempts("run");
  ASSERT_EQ(tries.size(), 2U) << said("run");
  EXPECT_EQ(tries[0]["cause"], "time_limit");
  EXPECT_EQ(tries[1]["first_step"], tries[0]["last_step"]) << "not a step was lost";
  EXPECT_EQ(slurm_id("run"), id) << "the same job to its end";
  expect_equal_bits("run", "alone");
}

TEST_F(Slurm, ACancelledJobLeavesACheckpointAndStaysAwayUntilItIsResumed) {
  train_alone("alone", kSteps);
  launch_well("run", kSteps, "nodes: 2\n");
  ASSERT_TRUE(comes_to_step("run", 20)) << said("run");
  signal_ranks("run", "STOP");  // scancel continues them first
  run_shell("scancel " + slurm_id("run"));
  ASSERT_TRUE(ends("run")) << said("run");
  const auto done = last_step(shop_->run("run"));
  EXPECT_LT(done, kSteps);
  EXPECT_NE(state("run"), "done");
  EXPECT_EQ(SlurmCluster::says("squeue -h --states=PENDING,RUNNING"), "") << "nobody has put it back";

  const ShellResult resumed = etude("jobs resume " + job("run").at("name").get<std::string>());
  EXPECT_EQ(resumed.exit_code, 0) << resumed.errors;
  ASSERT_TRUE(ends("run")) << said("run");
  EXPECT_EQ(state("run"), "done") << said("run");
  EXPECT_EQ(attempts("run")[1]["first_step"], done) << "it wrote a checkpoint before it ended";
  expect_equal_bits("run", "alone");
}

TEST_F(Slurm, ANodeDiesWithEverythingOnItAndTheOtherFinishes) {
  train_alone("alone", kSteps);
  launch_well("run", kSteps, "nodes: 2\nmin_nodes: 1\n");
  ASSERT_TRUE(comes_to_step("run", 50)) << said("run");
  signal_ranks("run", "STOP");
  EXPECT_EQ(attempts("run")[0]["nodes"], 2);
  cluster_->kill_node(1);  // the one where the supervisor is
  ASSERT_TRUE(ends("run")) << said("run");
  EXPECT_EQ(state("run"), "done") << said("run");
  const Json tries = attempts("run");
  EXPECT_EQ(tries.front()["cause"], "lost");
  EXPECT_EQ(tries.back()["nodes"], 1);
  EXPECT_GE(tries.back()["first_step"], 20) << "it went on from a checkpoint";
  expect_equal_bits("run", "alone");
}

TEST_F(Slurm, AnArrayOfFiveIsFiveRuns) {
  launch_well("run", 60, "at_once: 3\n", "--array seed=1..5");
  const std::string first = slurm_id("run-seed-1");
  EXPECT_TRUE(first.ends_with("_0")) << first;
  for (int seed = 1; seed <= 5; ++seed) {
    const std::string run = "run-seed-" + std::to_string(seed), alone = "alone-" + std::to_string(seed);
    EXPECT_EQ(slurm_id(run), first.substr(0, first.size() - 1) + std::to_string(seed - 1));
    train_alone(alone, 60, "--set seed=" + std::to_string(seed));
    ASSERT_TRUE(ends(run)) << said(run);
    EXPECT_EQ(state(run), "done") << said(run);
    EXPECT_THAT(said(run), HasSubstr("finished: 60 steps")) << "each has its own output";
    expect_equal_bits(run, alone);
  }
}

TEST_F(Slurm, WhileTheControllerIsAwayAJobIsOutOfReachAndGoesOn) {
  train_alone("alone", kSteps);
  launch_well("run", kSteps, "nodes: 2\n");
  ASSERT_TRUE(comes_to_step("run", 20)) << said("run");
  signal_ranks("run", "STOP");
  cluster_->kill_controller();
  const auto since = std::chrono::steady_clock::now();
  const Json seen = job("run");
  EXPECT_EQ(seen.at("state"), "running");
  EXPECT_THAT(seen.at("words"), HasSubstr("cannot reach the controller"));
  const ShellResult again = launch("run", kSteps, "nodes: 2\n", "--resume");
  EXPECT_THAT(again.output + again.errors, Not(HasSubstr("submitted"))) << "it is not started twice";
  signal_ranks("run", "CONT");
  std::this_thread::sleep_until(since + std::chrono::seconds(20));
  cluster_->start_controller();
  ASSERT_TRUE(ends("run")) << said("run");
  EXPECT_EQ(state("run"), "done") << said("run");
  EXPECT_EQ(attempts("run").size(), 1U);
  expect_equal_bits("run", "alone");
}

TEST_F(Slurm, RanksThatWereNeverStartedAreNotTheEndWhateverSrunSays) {
  train_alone("alone", 60);
  const fs::path program = shop_->path() / "program", mark = shop_->path() / "mark";
  std::ofstream(program) << "#!/bin/sh\n[ -e " << mark.string() << " ] || { touch " << mark.string()
                         << "; exit 0; }\nexec " << etude_program() << " \"$@\"\n";
  fs::permissions(program, fs::perms::owner_all);
  launch_well("run", 60, "program: " + program.string() + "\n");
  ASSERT_TRUE(ends("run")) << said("run");
  EXPECT_EQ(state("run"), "done") << said("run");
  EXPECT_EQ(attempts("run")[0]["cause"], "failed");
  expect_equal_bits("run", "alone");
}

TEST_F(Slurm, WhatAKilledStartLeftOnANodeIsNotInTheWayOfTheNext) {
  train_alone("alone", 60);
  // What PMIx makes for the first step of a job of that number, and does not want to find.
  for (int node = 1; node <= SlurmCluster::kNodes; ++node) {
    fs::create_directory(fs::path(cluster_->temporary(node)) / "spmix_appdir_0_1.0");
  }
  launch_well("run", 60, "nodes: 1\n");
  ASSERT_EQ(slurm_id("run"), "1");
  ASSERT_TRUE(ends("run")) << said("run");
  EXPECT_EQ(state("run"), "done") << said("run");
  const Json tries = attempts("run");
  ASSERT_EQ(tries.size(), 2U) << "a further start in the same job, which has another number";
  EXPECT_EQ(tries[0]["trained"], false);
  expect_equal_bits("run", "alone");
}

TEST_F(Slurm, ALauncherThatWasKilledFindsItsJobAndStartsNothingTwice) {
  launch_well("run", kSteps, "nodes: 2\n");
  const std::string id = slurm_id("run");
  const fs::path file = shop_->run("run") / "job" / "job.json";
  Json order = Json::parse(slurp(file));
  order["id"] = "";  // as it stands before sbatch has answered
  std::ofstream(file) << order.dump();
  const ShellResult again = launch("run", kSteps, "nodes: 2\n", "--resume");
  EXPECT_EQ(again.exit_code, 0) << again.errors;
  EXPECT_EQ(slurm_id("run"), id);
  EXPECT_EQ(SlurmCluster::says("squeue -h -t all -o %i"), id + "\n");
}

TEST_F(Slurm, ARefusalIsInSlurmsWordsAndSaysWhatThereIs) {
  const ShellResult result = launch("run", 60, "partition: nosuch\n");
  EXPECT_EQ(result.exit_code, kMisuse);
  EXPECT_THAT(result.errors, AllOf(HasSubstr("invalid partition specified: nosuch"), HasSubstr("one of main")));
  EXPECT_EQ(SlurmCluster::says("squeue -h -t all"), "");
  EXPECT_THAT(launch("other", 60, "partition: main\nconstraint: gold\n").errors,
              HasSubstr("Invalid feature specification"));
}

TEST_F(Slurm, TheDoctorSeesWhatIsMissing) {
  const auto doctor = [&](const std::string& keys) {
    const fs::path file = shop_->path() / "examined.yaml";
    std::ofstream(file) << "engine: slurm\n" << keys;
    const ShellResult result = etude("launch doctor --cluster " + file.string());
    return std::to_string(result.exit_code) + " " + result.output + result.errors;
  };
  EXPECT_THAT(doctor("nodes: 2\ntime: 30m\n"),
              AllOf(::testing::StartsWith("0 "), HasSubstr("srun --mpi=pmix"), HasSubstr("2 nodes")));
  EXPECT_THAT(doctor("partition: nosuch\n"),
              AllOf(Not(::testing::StartsWith("0 ")), HasSubstr("there is no partition 'nosuch'"), HasSubstr("main")));
  EXPECT_THAT(doctor("nodes: 3\n"), HasSubstr("it never has 3 nodes"));
  EXPECT_THAT(doctor("time: 2h\n"), HasSubstr("such a job would wait for ever"));
  EXPECT_THAT(doctor("mpi: pmi7\n"), HasSubstr("srun --mpi=pmi7 is not known here"));
  EXPECT_THAT(doctor("container: pyxis\nimage: some.sqsh\n"), HasSubstr("no pyxis"));
  cluster_->kill_controller();
  EXPECT_THAT(doctor("nodes: 2\n"), HasSubstr("cannot reach the controller"));
}

TEST_F(Slurm, NamesAndValuesReachItAsTheyAreAndNoShell) {
  // JSON's strings are YAML's, in double quotes.
  const std::string nasty = R"(it's "so" $(touch X) `touch X`; touch X #%j)";
  const fs::path run = shop_->path() / ("runs " + nasty) / "run";
  const fs::path setup = shop_->path() / ("set up " + nasty + ".sh");
  fs::create_directories(run.parent_path());
  std::ofstream(setup) << "export FROM_SETUP='"
                       << "$(touch X)"
                       << "'\n";
  std::ofstream(shop_->path() / "cluster.yaml")
      << "engine: slurm\nsetup: " << Json(setup.string()).dump()
      << "\nenvironment: {NASTY: " << Json(nasty + "\n#SBATCH --partition=evil").dump() << "}\nextra: ["
      << Json("--mail-user=" + nasty).dump() << ", --mail-type=FAIL]\n";
  std::ofstream(shop_->path() / "run.yaml")
      << small_experiment(shop_->pack(), 20) << "run: " << Json(run.string()).dump() << "\n";
  const ShellResult launched =
      run_shell("cd " + shop_->path().string() + " && " + etude_program() + " launch run.yaml --cluster cluster.yaml");
  ASSERT_EQ(launched.exit_code, 0) << launched.errors;
  const auto output = [&] { return slurp(run / "job" / "output.txt"); };
  EXPECT_TRUE(eventually([&] { return output().find("finished: 20 steps") != std::string::npos; }))
      << output() << SlurmCluster::says("scontrol show job");
  EXPECT_FALSE(fs::exists(shop_->path() / "X"));
  EXPECT_THAT(SlurmCluster::says("scontrol show job"),
              AllOf(HasSubstr("MailUser=" + nasty), HasSubstr("Partition=main")));
}

}  // namespace
}  // namespace etude::testing
