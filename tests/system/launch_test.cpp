// etude launch and etude jobs on this machine, through kills of everybody involved.
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "tests/system/processes.h"

namespace etude::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int kSteps = 200;

class Launch : public ::testing::Test {
 protected:
  void SetUp() override {
    ETUDE_NEEDS_MPIRUN();
    setenv("XDG_STATE_HOME", (shop_.path() / "state").c_str(), 1);
    setenv("ETUDE_LEDGER", (shop_.path() / "ledger").c_str(), 1);
    fs::create_directories(shop_.path() / "ledger");
  }
  void TearDown() override {
    for (const Process& process : etude_processes(shop_.path())) kill(process.pid, SIGKILL);
  }

  /// The arguments that launch a small run of this name.
  std::string launch(const std::string& name, const std::string& more = "", int steps = kSteps) const {
    std::string arguments = shop_.train(name, steps, "--set name=" + name + " --set checkpoint.every=20 " + more);
    return arguments.replace(0, arguments.find(' '), "launch");
  }
  Json job(const std::string& name) const {
    const Json all = Json::parse(etude("jobs --json").output);
    for (const Json& job : all) {
      if (job["name"] == name) return job;
    }
    return {};
  }
  bool comes_to(const std::string& name, const std::string& state) const {
    return eventually([&] { return job(name)["state"] == state; });
  }
  bool comes_to_step(const std::string& name, std::int64_t step) const {
    return eventually([&] { return last_step(shop_.run(name)) >= step; });
  }
  std::vector<std::string> causes(const std::string& name) const {
    std::vector<std::string> causes;
    const Json status = Json::parse(slurp(shop_.run(name) / "job" / "status.json"));
    for (const Json& attempt : status["attempts"]) causes.push_back(attempt["cause"]);
    return causes;
  }
  pid_t supervisor_of(const std::string& name) const {
    return std::atoi(slurp(shop_.run(name) / "job" / ".supervisor").c_str());
  }
  void expect_the_bits_of_plain_training(const std::string& name) const {
    ASSERT_EQ(etude(shop_.train("plain", kSteps, "--set checkpoint.every=20 --overwrite")).exit_code, 0);
    EXPECT_TRUE(shop_.weights(name) == shop_.weights("plain"));
    const auto rows = metrics_with(shop_.run(name), "loss"), expected = metrics_with(shop_.run("plain"), "loss");
    ASSERT_EQ(rows.size(), expected.size()) << "steps missing from or doubled in metrics.jsonl";
    for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i]["loss"], expected[i]["loss"]) << "step " << i + 1;
  }
  /// A program to stand for `etude train`.
  fs::path stand_in(const std::string& script) const {
    const fs::path file = shop_.path() / "stand-in";
    std::ofstream(file) << "#!/bin/bash\n" << script;
    fs::permissions(file, fs::perms::owner_all);
    return file;
  }

  const Workshop shop_;
};

TEST_F(Launch, TrainsToTheBitsOfPlainTrainingAndTellsWhatItCost) {
  const ShellResult launched = etude(
      launch("run") + " --cluster-set ranks_per_node=2 --cluster-set 'price={per_node_hour: 3600, currency: EUR}'");
  ASSERT_EQ(launched.exit_code, 0) << launched.errors << launched.output;
  EXPECT_THAT(launched.output, HasSubstr("run: done"));
  expect_the_bits_of_plain_training("run");
  const Json done = job("run");
  EXPECT_EQ(done["state"], "done");
  EXPECT_EQ(done["status"]["progress"]["step"], kSteps);
  EXPECT_EQ(done["status"]["attempts"][0]["ranks"], 2);
  // One euro a second.
  const Json usage = done["status"]["usage"];
  EXPECT_GT(usage["cost"].get<double>(), 0);
  EXPECT_NEAR(usage["cost"].get<double>(), usage["hours"].get<double>() * 3600, 1e-6);
  EXPECT_EQ(usage["currency"], "EUR");
  EXPECT_THAT(etude("jobs").output, AllOf(HasSubstr("200/200"), HasSubstr("EUR")));

  const ShellResult again = etude(launch("run"));
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_THAT(again.errors, AllOf(HasSubstr("--resume"), HasSubstr("--overwrite")));
  EXPECT_EQ(etude(launch("run", "--resume")).exit_code, 0);
  EXPECT_EQ(etude(launch("run", "--overwrite")).exit_code, 0);
  expect_the_bits_of_plain_training("run");
}

TEST_F(Launch, FindsItsRunAgainWhenItWasKilledItself) {
  Background launcher(etude_program() + " " + launch("run"), shop_.path() / "said");
  ASSERT_TRUE(comes_to_step("run", 30));
  launcher.signal_first(SIGKILL);
  launcher.wait();
  EXPECT_EQ(job("run")["state"], "running");
  const ShellResult again = etude(launch("run"));
  EXPECT_EQ(again.exit_code, 0) << again.errors;
  EXPECT_THAT(again.output, AllOf(HasSubstr("not started again"), HasSubstr("run: done")));
  EXPECT_THAT(causes("run"), ElementsAre("done"));
  expect_the_bits_of_plain_training("run");
}

TEST_F(Launch, StartsOnceWhatTwoLaunchersWantAtOnce) {
  Background first(etude_program() + " " + launch("run", "--detach"), shop_.path() / "first");
  Background second(etude_program() + " " + launch("run", "--detach"), shop_.path() / "second");
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(second.wait(), 0);
  const std::string said = slurp(shop_.path() / "first") + slurp(shop_.path() / "second");
  EXPECT_THAT(said, AllOf(HasSubstr("run submitted"), HasSubstr("not started again")));
  ASSERT_TRUE(comes_to("run", "done"));
  EXPECT_THAT(causes("run"), ElementsAre("done"));
}

TEST_F(Launch, OutlivesItsSupervisor) {
  ASSERT_EQ(etude(launch("run", "--detach")).exit_code, 0);
  ASSERT_TRUE(comes_to_step("run", 30));
  kill(supervisor_of("run"), SIGKILL);
  ASSERT_TRUE(comes_to("run", "ended"));
  EXPECT_THAT(job("run")["words"], HasSubstr("etude jobs resume run"));
  // The ranks may still train: whoever resumes waits for their end.
  ASSERT_EQ(etude("jobs resume run").exit_code, 0);
  ASSERT_TRUE(comes_to("run", "done"));
  EXPECT_THAT(causes("run"), ElementsAre("lost", "done"));
  expect_the_bits_of_plain_training("run");
}

TEST_F(Launch, StartsRanksAgainThatWereKilled) {
  ASSERT_EQ(etude(launch("run", "--detach --cluster-set ranks_per_node=2")).exit_code, 0);
  ASSERT_TRUE(comes_to_step("run", 30));
  for (const Process& process : etude_processes(shop_.run("run").string() + "/job/experiment.yaml")) {
    if (process.rank == 1) kill(process.pid, SIGKILL);
  }
  ASSERT_TRUE(comes_to("run", "done"));
  EXPECT_THAT(causes("run"), ElementsAre("killed", "done"));
  expect_the_bits_of_plain_training("run");
}

TEST_F(Launch, DoesNotLoopOverARunThatFailsTheSameWayTwice) {
  const fs::path program = stand_in("echo tried >> '" + (shop_.run("run") / "log.txt").string() + "'; exit 1\n");
  const ShellResult launched = etude(launch("run") + " --cluster-set program=" + program.string());
  EXPECT_EQ(launched.exit_code, 1);
  EXPECT_THAT(launched.output, HasSubstr("twice the same"));
  EXPECT_EQ(slurp(shop_.run("run") / "log.txt"), "tried\ntried\n");
}

TEST_F(Launch, StopsWithACheckpointAndGoesOnToTheSameBits) {
  ASSERT_EQ(etude(launch("run", "--detach")).exit_code, 0);
  ASSERT_TRUE(comes_to_step("run", 30));
  EXPECT_THAT(etude("jobs stop run").output, HasSubstr("checkpoint"));
  ASSERT_TRUE(comes_to("run", "stopped"));
  EXPECT_THAT(causes("run"), ElementsAre("asked"));
  EXPECT_TRUE(eventually([&] { return etude_processes(shop_.run("run")).empty(); }));
  EXPECT_EQ(etude("jobs resume run").exit_code, 0);
  EXPECT_EQ(etude("jobs follow run").exit_code, 0);
  EXPECT_THAT(causes("run"), ElementsAre("asked", "done"));
  expect_the_bits_of_plain_training("run");
}

TEST_F(Launch, EndsWithACheckpointWhenItsTerminalSaysSo) {
  Background launcher(etude_program() + " " + launch("run"), shop_.path() / "said");
  ASSERT_TRUE(comes_to_step("run", 30));
  launcher.signal_first(SIGINT);
  EXPECT_EQ(launcher.wait(), 0);
  EXPECT_THAT(slurp(shop_.path() / "said"), HasSubstr("etude jobs resume run"));
  EXPECT_EQ(job("run")["state"], "stopped");
}

TEST_F(Launch, EndsWithACheckpointWhenItsBudgetIsSpent) {
  const std::string priced = " --cluster-set 'price={per_node_hour: 3600}'";  // a dollar a second
  EXPECT_EQ(etude(launch("run", "--max-cost 2")).exit_code, 2) << "without a price";
  const ShellResult launched = etude(launch("run", "--max-cost 2", 100'000) + priced);
  EXPECT_EQ(launched.exit_code, 0);
  const Json stopped = job("run");
  EXPECT_EQ(stopped["state"], "stopped");
  EXPECT_THAT(stopped["words"], HasSubstr("--max-cost 2 USD"));
  const double cost = stopped["status"]["usage"]["cost"];
  EXPECT_GE(cost, 2);
  EXPECT_TRUE(fs::exists(shop_.run("run") / "checkpoints" / "last"));
  const std::int64_t step = last_step(shop_.run("run"));
  // Resuming alone buys nothing.
  EXPECT_EQ(etude("jobs resume run").exit_code, 0);
  ASSERT_TRUE(comes_to("run", "stopped"));
  EXPECT_EQ(last_step(shop_.run("run")), step);
  EXPECT_EQ(etude("jobs resume run --max-cost 1000000 --max-hours 0.001").exit_code, 0);
  ASSERT_TRUE(
      eventually([&] { return job("run")["words"].get<std::string>().find("--max-hours") != std::string::npos; }));
  EXPECT_GT(job("run")["status"]["usage"]["cost"].get<double>(), cost - 1e-9);
}

std::set<int> cores_of(pid_t process) {
  std::set<int> cores;
  const std::string status = slurp("/proc/" + std::to_string(process) + "/status"), key = "Cpus_allowed_list:\t";
  const auto at = status.find(key);
  if (at == std::string::npos) return cores;
  std::istringstream ranges(status.substr(at + key.size(), status.find('\n', at) - at - key.size()));
  for (std::string range; std::getline(ranges, range, ',');) {
    const auto dash = range.find('-');
    const int first = std::stoi(range), last = dash == std::string::npos ? first : std::stoi(range.substr(dash + 1));
    for (int core = first; core <= last; ++core) cores.insert(core);
  }
  return cores;
}

TEST_F(Launch, RunsAnArrayWithoutTwoRunsOnOneCore) {
  const ShellResult launched = etude(launch("run", "--array seed=1..5", 100) + " --cluster-set cores=1");
  ASSERT_EQ(launched.exit_code, 0) << launched.errors;
  const auto done = [&] {
    int count = 0;
    for (int seed = 1; seed <= 5; ++seed) {
      const fs::path status = shop_.run("run-seed-" + std::to_string(seed)) / "job" / "status.json";
      count += slurp(status).find("\"state\":\"done\"") != std::string::npos;
    }
    return count == 5;
  };
  EXPECT_TRUE(eventually([&] {
    std::map<int, int> runs_on_core;
    for (const Process& process : etude_processes("/job/experiment.yaml")) {
      if (slurp("/proc/" + std::to_string(process.pid) + "/cmdline").find(shop_.path()) == std::string::npos) continue;
      const auto cores = cores_of(process.pid);
      EXPECT_LE(cores.size(), 1U);
      for (const int core : cores) EXPECT_LE(++runs_on_core[core], 1) << "core " << core;
    }
    return done();
  }));
  std::set<std::string> weights;
  for (int seed = 1; seed <= 5; ++seed) weights.insert(shop_.weights("run-seed-" + std::to_string(seed)));
  EXPECT_EQ(weights.size(), 5U);
}

TEST_F(Launch, GivesEachRankItsShareOfTheCores) {
  if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "one core cannot be shared out";
  ASSERT_EQ(etude(launch("run", "--detach", 100'000) + " --cluster-set ranks_per_node=2").exit_code, 0);
  ASSERT_TRUE(comes_to_step("run", 2));
  const auto ranks = etude_processes(shop_.run("run").string() + "/job/experiment.yaml");
  ASSERT_EQ(ranks.size(), 2U);
  const auto first = cores_of(ranks[0].pid), second = cores_of(ranks[1].pid);
  EXPECT_EQ(first.size(), std::thread::hardware_concurrency() / 2);
  for (const int core : first) EXPECT_FALSE(second.contains(core));
  EXPECT_EQ(etude("jobs stop run --now").exit_code, 0);
  EXPECT_TRUE(eventually([&] { return etude_processes(shop_.run("run")).empty(); }));
}

TEST_F(Launch, NeverHasAShellReadWhatFilesSay) {
  const fs::path planted = shop_.path() / "planted";
  const std::string evil = "$(touch " + planted.string() + ") `touch " + planted.string() + "` '; touch " +
                           planted.string() + " #\" \\ \n end";
  // The stand-in writes what it was given, word by word and ended by zero bytes.
  const fs::path given = shop_.path() / "given";
  const fs::path program = stand_in("printf '%s\\0' \"$EVIL\" \"$FROM_SETUP\" \"$@\" > '" + given.string() +
                                    "'\nrun=${2%/job/experiment.yaml}; mkdir -p \"$run/checkpoints\"\n"
                                    "ln -s weights \"$run/checkpoints/final\"\n");
  const fs::path setup = shop_.path() / "set up $(touch planted).sh";
  std::ofstream(setup) << "export FROM_SETUP='from setup'\n";
  std::ofstream(shop_.path() / "cluster.yaml") << Json{{"engine", "local"},
                                                       {"program", program.string()},
                                                       {"setup", setup.string()},
                                                       {"environment", {{"EVIL", evil}}},
                                                       {"price", {{"currency", evil}}}};
  std::ofstream(shop_.path() / "experiment.yaml")
      << Json{{"name", evil},
              {"run", (shop_.path() / ("run " + evil.substr(0, evil.find('\n')))).string()},
              {"data", {{"pack", shop_.pack().string()}}}};
  const ShellResult launched = etude("launch " + (shop_.path() / "experiment.yaml").string() + " --cluster " +
                                     (shop_.path() / "cluster.yaml").string());
  EXPECT_EQ(launched.exit_code, 0) << launched.errors << launched.output;
  EXPECT_FALSE(fs::exists(planted));
  EXPECT_FALSE(fs::exists("planted"));
  const std::string words = slurp(given);
  EXPECT_THAT(words, HasSubstr(evil + '\0' + "from setup" + '\0' + "train" + '\0'));
  EXPECT_THAT(words, HasSubstr("/run " + evil.substr(0, evil.find('\n')) + "/job/experiment.yaml"));
  EXPECT_EQ(etude("jobs").exit_code, 0);
}

TEST_F(Launch, SaysWhatIsWrongAndStartsNothing) {
  const auto cluster = shop_.path() / "cluster.yaml";
  std::ofstream(cluster) << "engine: local\nrank_per_node: 2\n";
  const ShellResult wrong_key = etude(launch("run") + " --cluster " + cluster.string());
  EXPECT_EQ(wrong_key.exit_code, 2);
  EXPECT_THAT(wrong_key.errors, AllOf(HasSubstr("cluster.yaml:2:1"), HasSubstr("ranks_per_node")));
  const ShellResult too_many = etude(launch("run") + " --cluster-set ranks_per_node=5");
  EXPECT_EQ(too_many.exit_code, 2);
  EXPECT_THAT(too_many.errors, HasSubstr("4 micro-batches"));
  EXPECT_THAT(etude(launch("run", "--set data.pack=/nowhere")).errors, HasSubstr("etude pack"));
  EXPECT_EQ(etude(launch("run") + " --cluster /nowhere.yaml").exit_code, 2);
  EXPECT_EQ(etude("launch").exit_code, 2);
  const ShellResult printed = etude(launch("run", "--print"));
  EXPECT_EQ(printed.exit_code, 0);
  EXPECT_THAT(printed.output, AllOf(HasSubstr("mpirun"), HasSubstr("supervise")));
  EXPECT_FALSE(fs::exists(shop_.run("run")));
  EXPECT_THAT(etude("jobs").output, HasSubstr("no jobs"));
  EXPECT_EQ(etude("jobs stop run").exit_code, 2);
}

TEST_F(Launch, ListsTheOtherJobsWhenOneCannotBeRead) {
  ASSERT_EQ(etude(launch("good", "", 10)).exit_code, 0);
  ASSERT_EQ(etude(launch("bad", "", 10)).exit_code, 0);
  std::ofstream(shop_.run("bad") / "job" / "job.json") << "{\"name\":";
  EXPECT_EQ(job("good")["state"], "done");
  EXPECT_EQ(job("bad")["state"], "unknown");
  EXPECT_THAT(job("bad")["words"], HasSubstr("job.json"));
  EXPECT_EQ(etude("jobs forget good").exit_code, 0);
  EXPECT_THAT(etude("jobs").output, Not(HasSubstr("good  ")));
}

}  // namespace
}  // namespace etude::testing
