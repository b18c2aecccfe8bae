// etude sweep on a real Slurm of two nodes: trials share its cores, keep the controller's secret, and come to their end
// whoever of trials, nodes and controllers is killed.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/support/slurm.h"
#include "tests/system/processes.h"

namespace etude::testing {
namespace {

using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;
using Json = nlohmann::json;
using Node = std::string;

constexpr int kCoresOfNode = 2;

class SweepOnSlurm : public ::testing::Test {
 protected:
  void SetUp() override {
    try {
      cluster_ = std::make_unique<SlurmCluster>();
    } catch (const std::exception& error) {
      GTEST_SKIP() << "no Slurm can be started here: " << error.what();
    }
    shop_ = std::make_unique<Workshop>();
    setenv("XDG_STATE_HOME", file("state").c_str(), 1);
    std::ofstream(file("experiment.yaml"))
        << "name: tiny\nseed: 3\ndata: {pack: " << shop_->pack().string()
        << ", sequence_length: 48}\nmodel: {kind: gpt2, layers: 1, width: 32, heads: 2, dropout: 0.1}\n"
           "train: {steps: 30, global_batch: 4, micro_batch: 2, lr: 1.0e-3, threads: 1, device: cpu, log_every: 1}\n"
           "evaluate: {every: 10, batches: 2}\ncheckpoint: {every: 10}\n";
    std::ofstream(file("cluster.yaml")) << "engine: slurm\nranks_per_node: 1\ncores_per_rank: 1\n";
  }

  std::string file(const std::string& name) const { return (shop_->path() / name).string(); }
  fs::path folder() const { return shop_->path() / "sweeps" / name_; }
  fs::path trial(std::size_t number) const { return folder() / fmt_number(number); }
  static std::string fmt_number(std::size_t number) {
    const std::string digits = std::to_string(number);
    return "trial-" + std::string(4 - digits.size(), '0') + digits;
  }

  /// Writes sweep.yaml: a search for a learning rate, and what else is said.
  void write_sweep(const std::string& name, const std::string& more) {
    name_ = name;
    std::ofstream(file("sweep.yaml")) << "name: " << name
                                      << "\nexperiment: experiment.yaml\n"
                                         "metric: {name: eval_loss_per_note, goal: minimize}\n"
                                         "parameters: {train.lr: {low: 1.0e-4, high: 1.0e-2, log: true}}\n"
                                      << more;
  }
  /// A controller in the background. Its command line names no folder, for those of trials are told by theirs.
  std::unique_ptr<Background> run_sweep(const std::string& more = "") const {
    // Each says what it says behind the last.
    return std::make_unique<Background>("env -C " + shop_->path().string() + " " + etude_program() +
                                            " sweep run sweep.yaml --cluster cluster.yaml " + more,
                                        "/dev/null >>" + file("said"));
  }
  std::string said() const { return slurp(file("said")); }
  ShellResult sweep(const std::string& arguments) const {
    return run_shell("cd " + shop_->path().string() + " && " + etude_program() + " sweep " + arguments);
  }
  Json trials() const { return Json::parse(sweep("export sweep.yaml --format json").output)["trials"]; }

  std::vector<Process> processes(const std::string& command) const {
    std::vector<Process> found;
    for (const Process& process : etude_processes(shop_->path())) {
      const std::string line = slurp("/proc/" + std::to_string(process.pid) + "/cmdline");
      if (line.find('\0' + command + '\0') != std::string::npos) found.push_back(process);
    }
    return found;
  }
  std::vector<Process> ranks() const { return processes("train"); }
  static Node node_of(const Process& process) {
    const std::string environment = slurp("/proc/" + std::to_string(process.pid) + "/environ");
    const std::string key = "SLURMD_NODENAME=";
    const auto at = environment.find(key);
    return at == std::string::npos ? "" : environment.c_str() + at + key.size();
  }

  static std::vector<std::int64_t> steps_of(const Json& trial) {
    std::vector<std::int64_t> steps;
    for (const Json& report : trial["reports"]) steps.push_back(report[0]);
    return steps;
  }
  /// The steps at which its run folder has an evaluation.
  std::vector<std::int64_t> evaluations(std::size_t number) const {
    std::vector<std::int64_t> steps;
    for (const Json& row : metrics_with(trial(number), "eval_loss")) steps.push_back(row["step"]);
    return steps;
  }
  static std::string reason(const Json& trial) { return trial["system_attributes"].value("etude:reason", ""); }
  static Json stints(const Json& trial) { return trial["system_attributes"].value("etude:stints", Json::array()); }

  /// Optuna sees the study that `sweep export` shows.
  void expect_that_optuna_agrees(const Json& trials) const {
    const std::string optuna = std::string(ETUDE_SOURCE_DIR) + "/.deps/oracle-optuna";
    if (!oracle_python() || !fs::exists(optuna)) {
      GTEST_SKIP() << "Optuna is not there (script/setup --test installs it)";
    }
    const Json seen = Json::parse(run_python(R"(
import json, sys, optuna
study = optuna.load_study(study_name=sys.argv[2], storage='sqlite:///' + sys.argv[1])
print(json.dumps([[t.number, t.state.name, t.params, t.values,
                   sorted([step, value] for step, value in t.intermediate_values.items())] for t in study.trials]))
)",
                                             {file("sweep.db"), name_}, optuna));
    ASSERT_EQ(seen.size(), trials.size());
    for (std::size_t i = 0; i < trials.size(); ++i) {
      EXPECT_EQ(seen[i][0], i);
      EXPECT_EQ(seen[i][1], trials[i]["state"]) << "trial " << i;
      EXPECT_EQ(seen[i][2], trials[i]["parameters"]) << "trial " << i;
      EXPECT_EQ(seen[i][3], trials[i]["values"]) << "trial " << i;
      EXPECT_EQ(seen[i][4], trials[i]["reports"]) << "trial " << i;
    }
  }

  std::unique_ptr<SlurmCluster> cluster_;
  std::unique_ptr<Workshop> shop_;
  std::string name_;
};

/// At any time, the cores that trials say to occupy.
double most_cores_at_once(const Json& trials) {
  std::vector<std::pair<double, double>> changes;  // an end comes before a beginning at the same time
  for (const Json& trial : trials) {
    for (const Json& stint : trial["system_attributes"]["etude:stints"]) {
      changes.emplace_back(stint["began"], stint["cores"]);
      changes.emplace_back(stint["ended"], -stint["cores"].get<double>());
    }
  }
  std::sort(changes.begin(), changes.end());
  double now = 0, most = 0;
  for (const auto& [time, cores] : changes) most = std::max(most, now += cores);
  return most;
}

std::string first_line_of_answer(const std::string& url) {
  const std::string address = url.substr(url.find("//") + 2);
  const auto colon = address.rfind(':');
  return run_shell("bash -c 'exec 3<>/dev/tcp/" + address.substr(0, colon) + "/" + address.substr(colon + 1) +
                   " && printf \"GET /api/study HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n\" >&3 && "
                   "head -1 <&3'")
      .output;
}

TEST_F(SweepOnSlurm, TrialsShareTheNodesAndKeepTheControllersSecret) {
  write_sweep("study",
              "sampler: {kind: tpe, seed: 1}\npruner: {kind: median, startup_trials: 3, warmup_steps: 10}\n"
              "budget: {trials: 8}\nresources: {max_concurrent_trials: 4}\n");
  std::set<Node> nodes;
  std::size_t most_ranks = 0;
  std::string seen;  // by anybody on this machine and on the cluster
  const auto look_until_the_end_of = [&](Background& run) {
    while (run.running()) {
      std::map<Node, int> ranks_on;
      const auto all = ranks();
      most_ranks = std::max(most_ranks, all.size());
      for (const Process& rank : all) ++ranks_on[node_of(rank)];
      std::map<Node, int> cores_of;
      std::istringstream jobs(SlurmCluster::says("squeue -h -t running -o '%N %C'"));
      int cores = 0;
      for (Node node; jobs >> node >> cores;) cores_of[node] += cores;
      for (const auto& counts : {ranks_on, cores_of}) {
        for (const auto& [node, count] : counts) {
          if (!node.empty()) nodes.insert(node);
          EXPECT_LE(count, kCoresOfNode) << "on " << node;
        }
      }
      seen += SlurmCluster::says("ps axww -o args; squeue -t all -o %all; scontrol show job --details");
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  };

  auto run = run_sweep();
  ASSERT_TRUE(eventually([&] { return fs::exists(folder() / "controller.json"); })) << said();
  const Json place = Json::parse(slurp(folder() / "controller.json"));
  const std::string token = place["token"];
  EXPECT_THAT(place["url"].get<std::string>(), Not(HasSubstr("127.0.0.1")));
  EXPECT_THAT(first_line_of_answer(place["url"]), HasSubstr("401"));
  EXPECT_EQ(fs::status(folder() / "controller.json").permissions(), fs::perms::owner_read | fs::perms::owner_write);
  look_until_the_end_of(*run);
  ASSERT_EQ(run->wait(), 0) << said();
  EXPECT_GE(most_ranks, 2U) << "several at once";

  // The rest has two ranks each.
  run = run_sweep("--set budget.trials=12 --set resources.ranks_per_trial=2 --jobs 2");
  look_until_the_end_of(*run);
  ASSERT_EQ(run->wait(), 0) << said();

  const Json all = trials();
  ASSERT_EQ(all.size(), 12U) << said();
  std::map<std::string, int> counts;
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_THAT(all[i]["state"], AnyOf("COMPLETE", "PRUNED")) << reason(all[i]);
    ++counts[all[i]["state"]];
    EXPECT_EQ(steps_of(all[i]), evaluations(i)) << "trial " << i;
    const int of_two = slurp(trial(i) / "job" / "output.txt").find("; 2 ranks") != std::string::npos ? 2 : 1;
    EXPECT_EQ(of_two, i < 8 ? 1 : 2) << "trial " << i;
    ASSERT_EQ(stints(all[i]).size(), 1U) << "trial " << i;
    EXPECT_EQ(stints(all[i])[0]["cores"], of_two) << "trial " << i;
    EXPECT_EQ(stints(all[i])[0]["open"], false) << "trial " << i;
  }
  EXPECT_THAT(said(), HasSubstr("12 trials, " + std::to_string(counts["COMPLETE"]) + " complete, " +
                                std::to_string(counts["PRUNED"]) + " pruned, 0 failed"));
  EXPECT_THAT(nodes, ElementsAre("node1", "node2"));
  EXPECT_LE(most_cores_at_once(all), SlurmCluster::kNodes * kCoresOfNode);
  expect_that_optuna_agrees(all);

  ASSERT_GE(token.size(), 16U);
  const auto has_token = [&](const std::string& text) { return text.find(token) != std::string::npos; };
  EXPECT_THAT(seen, HasSubstr("JobId="));
  EXPECT_FALSE(has_token(seen)) << "in what ps or Slurm tell everybody";
  EXPECT_FALSE(has_token(said()));
  for (const auto& entry : fs::recursive_directory_iterator(shop_->path())) {
    const std::string name = entry.path().filename();
    if (!entry.is_regular_file() || name == "token" || name == "controller.json") continue;
    EXPECT_FALSE(has_token(slurp(entry.path()))) << entry.path();
  }
}

TEST_F(SweepOnSlurm, WhoeverIsKilledEachTrialIsCountedOnce) {
  constexpr std::size_t kTrials = 30;
  constexpr int kKills = 20;
  write_sweep("study",
              "sampler: {kind: random, seed: 2}\npruner: {kind: median, startup_trials: 20, warmup_steps: 10}\n"
              "budget: {trials: 30}\nresources: {max_concurrent_trials: 4, max_restarts: 20}\n");
  std::mt19937 random(7);
  auto run = run_sweep();
  std::map<std::string, int> killed;
  int left = kKills;
  const auto kill_one_of = [&](const std::string& what, const std::vector<Process>& victims) {
    if (victims.empty()) return;
    kill(victims[random() % victims.size()].pid, SIGKILL);
    ++killed[what];
    --left;
  };
  const auto over = [&] { return left <= 0 || (!run->running() && run->wait() == 0); };
  while (!over()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300 + random() % 2000));
    switch (random() % 7) {
      case 0:
      case 1:
        kill_one_of("supervisor", processes("supervise"));
        break;
      case 2:
      case 3:
        kill_one_of("rank", ranks());
        break;
      case 4:
      case 5:
        run->signal_first(SIGKILL);
        run->wait();
        ++killed["controller"];
        --left;
        run = run_sweep();
        break;
      default:
        if (killed["node"] == 2 || ranks().empty()) break;  // each takes Slurm a while
        const int node = 1 + ++killed["node"] % SlurmCluster::kNodes;
        cluster_->kill_node(node);
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
        cluster_->start_node(node);
        --left;
    }
  }
  ASSERT_EQ(run->wait(), 0) << said();
  for (const char* what : {"supervisor", "rank", "controller", "node"}) EXPECT_GT(killed[what], 0) << what;

  const Json all = trials();
  ASSERT_EQ(all.size(), kTrials) << said();
  std::map<std::string, std::size_t> counts;
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i]["number"], i);
    EXPECT_THAT(all[i]["state"], AnyOf("COMPLETE", "PRUNED")) << "trial " << i << ": " << reason(all[i]);
    ++counts[all[i]["state"]];
    // Whatever was done twice is there once.
    EXPECT_EQ(steps_of(all[i]), evaluations(i)) << "trial " << i;
    const auto steps = evaluations(i);
    const std::vector<std::int64_t> whole{10, 20, 30};
    EXPECT_TRUE(std::equal(steps.begin(), steps.end(), whole.begin(),
                           whole.begin() + static_cast<std::ptrdiff_t>(std::min(steps.size(), whole.size()))))
        << "trial " << i;
    if (all[i]["state"] == "COMPLETE") {
      EXPECT_EQ(steps, whole) << "trial " << i;
    }
    for (const Json& stint : stints(all[i])) EXPECT_EQ(stint["open"], false) << "trial " << i;
  }
  EXPECT_THAT(said(), HasSubstr("30 trials, " + std::to_string(counts["COMPLETE"]) + " complete, " +
                                std::to_string(counts["PRUNED"]) + " pruned"));
  // Slurm takes its time to see that a job is not there any more whose node died when it was just over.
  EXPECT_TRUE(eventually([] { return SlurmCluster::says("squeue -h -t pending,running").empty(); }));
  EXPECT_LE(most_cores_at_once(all), SlurmCluster::kNodes * kCoresOfNode);
  expect_that_optuna_agrees(all);
}

TEST_F(SweepOnSlurm, ATrialOutlivesItsNodeIfItMayBeStartedAgain) {
  // Kills the node on which the one trial is, in its midst.
  const auto with_a_dead_node = [&](const std::string& name, const std::string& resources) {
    write_sweep(name, "budget: {trials: 1}\nset: {train.steps: 200}\nresources: {" + resources + "}\n");
    auto run = run_sweep();
    EXPECT_TRUE(eventually([&] { return evaluations(0).size() >= 2; })) << said();
    const auto all = ranks();
    EXPECT_EQ(all.size(), 1U);
    for (const Process& rank : all) kill(rank.pid, SIGSTOP);
    const int node = all.empty() || node_of(all.front()) == "node1" ? 1 : 2;
    cluster_->kill_node(node);
    EXPECT_EQ(run->wait(), 0) << said();
    cluster_->start_node(node);
    EXPECT_TRUE(eventually([] { return SlurmCluster::says("sinfo -h -t idle -o %D") == "2\n"; }));
    return trials();
  };

  const Json lasting = with_a_dead_node("lasting", "max_restarts: 1");
  ASSERT_EQ(lasting.size(), 1U);
  EXPECT_EQ(lasting[0]["state"], "COMPLETE") << reason(lasting[0]) << said();
  ASSERT_EQ(stints(lasting[0]).size(), 2U) << "the second on the node that was left";
  const Json attempts = Json::parse(slurp(trial(0) / "job" / "status.json"))["attempts"];
  EXPECT_EQ(attempts[0]["cause"], "lost");
  EXPECT_GE(attempts[1]["first_step"], 20) << "it went on from a checkpoint";
  std::vector<std::int64_t> every_tenth;
  for (std::int64_t step = 10; step <= 200; step += 10) every_tenth.push_back(step);
  EXPECT_EQ(evaluations(0), every_tenth);
  EXPECT_EQ(steps_of(lasting[0]), every_tenth);

  const Json fragile = with_a_dead_node("fragile", "max_restarts: 0");
  ASSERT_EQ(fragile.size(), 1U);
  EXPECT_EQ(fragile[0]["state"], "FAIL") << said();
  EXPECT_THAT(reason(fragile[0]), HasSubstr("its node died"));
  EXPECT_EQ(stints(fragile[0]).size(), 1U);
}

}  // namespace
}  // namespace etude::testing
