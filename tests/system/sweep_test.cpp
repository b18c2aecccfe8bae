// etude sweep on this machine: what it promises to whoever kills its controller, and to Optuna.
#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/system/processes.h"

namespace etude::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;
using Json = nlohmann::json;

class Sweep : public ::testing::Test {
 protected:
  void SetUp() override {
    ETUDE_NEEDS_MPIRUN();
    setenv("XDG_STATE_HOME", (shop_.path() / "state").c_str(), 1);
    setenv("ETUDE_LEDGER", (shop_.path() / "ledger").c_str(), 1);
    fs::create_directories(shop_.path() / "ledger");
    std::ofstream(shop_.path() / "experiment.yaml")
        << "name: tiny\nseed: 3\ndata: {pack: " << shop_.pack().string()
        << ", sequence_length: 48}\nmodel: {kind: gpt2, layers: 1, width: 32, heads: 2, dropout: 0.1}\n"
           "train: {steps: 40, global_batch: 4, micro_batch: 2, lr: 1.0e-3, threads: 1, device: cpu, log_every: 1}\n"
           "evaluate: {every: 10, batches: 2}\ncheckpoint: {every: 10}\n";
  }
  void TearDown() override {
    for (const Process& process : etude_processes(shop_.path())) kill(process.pid, SIGKILL);
  }

  /// Writes sweep.yaml: a search for a learning rate, and what else is said.
  void write_sweep(const std::string& more) const {
    std::ofstream(shop_.path() / "sweep.yaml") << "name: study\nexperiment: experiment.yaml\n"
                                                  "metric: {name: eval_loss_per_note, goal: minimize}\n"
                                                  "parameters: {train.lr: {low: 1.0e-4, high: 1.0e-2, log: true}}\n"
                                               << more;
  }
  std::string sweep_command(const std::string& arguments) const {
    return "cd " + shop_.path().string() + " && " + etude_program() + " sweep " + arguments;
  }
  ShellResult sweep(const std::string& arguments) const { return run_shell(sweep_command(arguments)); }
  /// In the background, in a shell's place, so that its process is the controller.
  std::string background_run() const {
    return "env -C " + shop_.path().string() + " " + etude_program() + " sweep run sweep.yaml";
  }
  Json study() const { return Json::parse(sweep("export sweep.yaml --format json").output); }
  Json trials() const { return study()["trials"]; }
  std::vector<std::string> states() const {
    std::vector<std::string> all;
    for (const Json& trial : trials()) all.push_back(trial["state"]);
    return all;
  }
  fs::path trial(int number) const {
    return shop_.path() / "sweeps" / "study" / ("trial-000" + std::to_string(number));
  }
  /// The steps at which a trial was reported to the study.
  static std::vector<std::int64_t> steps_of(const Json& trial) {
    std::vector<std::int64_t> steps;
    for (const Json& report : trial["reports"]) steps.push_back(report[0]);
    return steps;
  }
  std::size_t attempts(int number) const {
    return Json::parse(slurp(trial(number) / "job" / "status.json"))["attempts"].size();
  }
  /// A trial that would train for ever, on a budget of 12 s, whose controller was killed.
  void leave_a_trial_without_its_controller() {
    write_sweep("budget: {cost: 12 EUR, trials: 1}\nset: {train.steps: 10000000}\n");
    std::ofstream(shop_.path() / "cluster.yaml") << "engine: local\nprice: {per_node_hour: 3600, currency: EUR}\n";
    Background run(background_run() + " --cluster cluster.yaml --host 127.0.0.1");
    ASSERT_TRUE(eventually([&] { return evaluated(0, 1); }));
    run.signal_first(SIGKILL);
    run.wait();
  }
  bool evaluated(int number, std::size_t times) const {
    return metrics_with(trial(number), "eval_loss").size() >= times;
  }

  /// Trained anew from what `sweep best` says of it, without any sweep, it has these bits.
  void expect_the_bits_of_plain_training(int number) const {
    ASSERT_EQ(sweep("best sweep.yaml --trial " + std::to_string(number) + " --output plain.yaml").exit_code, 0);
    const fs::path plain = shop_.path() / "plain";
    ASSERT_EQ(etude("train " + (shop_.path() / "plain.yaml").string() + " --set run=" + plain.string()).exit_code, 0);
    EXPECT_TRUE(slurp(plain / "checkpoints" / "last" / "model.safetensors") ==
                slurp(trial(number) / "checkpoints" / "last" / "model.safetensors"));
    const auto rows = metrics_with(trial(number), "loss"), expected = metrics_with(plain, "loss");
    ASSERT_EQ(rows.size(), expected.size()) << "steps missing from or doubled in metrics.jsonl";
  }

  const Workshop shop_;
};

TEST_F(Sweep, SearchesUntilItsBudgetIsUsedAndOptunaOpensTheStudy) {
  write_sweep("sampler: {kind: tpe, seed: 1}\nbudget: {trials: 4}\nresources: {max_concurrent_trials: 2}\n");
  const ShellResult ran = sweep("run sweep.yaml");
  ASSERT_EQ(ran.exit_code, 0) << ran.output << ran.errors;
  EXPECT_THAT(ran.output, AllOf(HasSubstr("the budget of 4 trials is used up"), HasSubstr("best: trial ")));
  ASSERT_THAT(states(), ElementsAre("COMPLETE", "COMPLETE", "COMPLETE", "COMPLETE"));
  expect_the_bits_of_plain_training(2);
  for (const Json& one : trials()) EXPECT_THAT(steps_of(one), ElementsAre(10, 20, 30, 40));

  const ShellResult again = sweep("run sweep.yaml");
  EXPECT_EQ(again.exit_code, 0) << again.errors;
  EXPECT_EQ(trials().size(), 4) << "what is done is not done again";

  const std::string optuna = std::string(ETUDE_SOURCE_DIR) + "/.deps/oracle-optuna";
  if (!oracle_python() || !fs::exists(optuna)) GTEST_SKIP() << "Optuna is not there (script/setup --test installs it)";
  const Json seen = Json::parse(run_python(R"(
import json, sys, optuna
study = optuna.load_study(study_name='study', storage='sqlite:///' + sys.argv[1])
print(json.dumps([study.best_trial.number, study.best_value, study.best_params['train.lr'],
                  [t.state.name for t in study.trials], [sorted(t.intermediate_values) for t in study.trials]]))
)",
                                           {(shop_.path() / "sweep.db").string()}, optuna));
  const int best = seen[0];
  EXPECT_EQ(seen[1], trials()[static_cast<std::size_t>(best)]["values"][0]);
  EXPECT_THAT(slurp(trial(best) / "config.yaml"), HasSubstr("lr: "));
  EXPECT_THAT(seen[3], Each("COMPLETE"));
  EXPECT_EQ(seen[4][0], (std::vector<int>{10, 20, 30, 40}));
}

TEST_F(Sweep, ATrialThatIsPrunedStopsOnAllRanksAtThatVeryStep) {
  write_sweep(
      "pruner: {kind: threshold, upper: 0.001}\nbudget: {trials: 1}\nresources: {ranks_per_trial: 2}\n"
      "set: {train.steps: 100000}\n");
  const ShellResult ran = sweep("run sweep.yaml");
  ASSERT_EQ(ran.exit_code, 0) << ran.output << ran.errors;
  ASSERT_THAT(states(), ElementsAre("PRUNED"));
  EXPECT_EQ(last_step(trial(0)), 10);
  EXPECT_EQ(fs::read_symlink(trial(0) / "checkpoints" / "last"), "step-00000010");
  EXPECT_EQ(metrics_with(trial(0), "rank_seconds").size(), 10) << "two ranks were to train";
  EXPECT_EQ(attempts(0), 1) << "nobody starts it again";
}

TEST_F(Sweep, AControllerThatWasKilledFindsItsTrialsAndHearsWhatItMissed) {
  write_sweep(
      "sampler: {kind: random, seed: 1}\nbudget: {trials: 3}\nresources: {max_concurrent_trials: 2}\n"
      "set: {train.steps: 150}\n");
  {
    Background run(background_run());
    ASSERT_TRUE(eventually([&] { return evaluated(0, 1) && evaluated(1, 1); }));
    run.signal_first(SIGKILL);
    run.wait();
  }
  ASSERT_TRUE(eventually([&] { return evaluated(0, 4); })) << "trials go on without it";
  const ShellResult ran = sweep("run sweep.yaml");
  ASSERT_EQ(ran.exit_code, 0) << ran.output << ran.errors;
  const Json all = trials();
  ASSERT_EQ(all.size(), 3);
  std::vector<std::int64_t> every_tenth;
  for (std::int64_t step = 10; step <= 150; step += 10) every_tenth.push_back(step);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(all[static_cast<std::size_t>(i)]["state"], "COMPLETE");
    EXPECT_EQ(steps_of(all[static_cast<std::size_t>(i)]), every_tenth);
    EXPECT_EQ(attempts(i), 1) << "trial " << i << " was started twice";
  }
}

TEST_F(Sweep, AKilledTrialGoesOnFromItsCheckpointAndCountsOnce) {
  write_sweep("budget: {trials: 1}\nset: {train.steps: 400}\n");
  Background run(background_run());
  ASSERT_TRUE(eventually([&] { return evaluated(0, 2); }));
  // Its supervisor and its rank; the controller's command line does not name that folder.
  for (const Process& process : etude_processes(shop_.path())) kill(process.pid, SIGKILL);
  EXPECT_EQ(run.wait(), 0);
  const Json all = trials();
  ASSERT_EQ(all.size(), 1);
  EXPECT_EQ(all[0]["state"], "COMPLETE") << all[0].dump();
  EXPECT_EQ(all[0]["system_attributes"]["etude:retries"], 1);
  expect_the_bits_of_plain_training(0);
}

TEST_F(Sweep, APromotedTrialComesToTheBitsOfOneThatNeverRested) {
  // At step 10 half of the trials may go on: the first one alone, and of four the second too, which rests by then.
  write_sweep(
      "enqueue: [{train.lr: 0.01}, {train.lr: 0.003}, {train.lr: 0.0002}, {train.lr: 0.0001}]\n"
      "pruner: {kind: successive_halving, min_step: 10, max_step: 20, reduction: 2}\nbudget: {trials: 4}\n");
  const ShellResult ran = sweep("run sweep.yaml");
  ASSERT_EQ(ran.exit_code, 0) << ran.output << ran.errors;
  ASSERT_THAT(states(), ElementsAre("COMPLETE", "COMPLETE", "PRUNED", "PRUNED")) << ran.output;
  EXPECT_EQ(attempts(0), 1);
  EXPECT_EQ(attempts(1), 2) << "it was to rest at step 10";
  EXPECT_THAT(steps_of(trials()[1]), ElementsAre(10, 20, 30, 40));
  EXPECT_EQ(last_step(trial(2)), 10);
  expect_the_bits_of_plain_training(1);
}

TEST_F(Sweep, APopulationGoesOnFromTheCheckpointsOfItsParents) {
  write_sweep("sampler: {kind: pbt, population: 2, interval: 10, seed: 1}\nbudget: {trials: 6}\n");
  const ShellResult ran = sweep("run sweep.yaml");
  ASSERT_EQ(ran.exit_code, 0) << ran.output << ran.errors;
  const Json all = trials();
  ASSERT_EQ(all.size(), 6);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(all[i]["state"], "COMPLETE");
    const std::int64_t generation = static_cast<std::int64_t>(i) / 2;
    EXPECT_THAT(steps_of(all[i]), ElementsAre(10 * (generation + 1))) << "trial " << i;
    EXPECT_EQ(metrics_with(trial(static_cast<int>(i)), "loss").front()["step"], 10 * generation + 1);
    EXPECT_EQ(all[i]["system_attributes"].contains("etude:parent"), generation > 0);
  }
}

TEST_F(Sweep, AMemberOfAPopulationEndsItsGenerationThoughNobodyTellsItTo) {
  write_sweep(
      "sampler: {kind: pbt, population: 2, interval: 600, seed: 1}\nbudget: {trials: 4}\n"
      "set: {train.steps: 1000000, evaluate.every: 50}\n");
  {
    Background run(background_run());
    ASSERT_TRUE(eventually([&] { return evaluated(0, 1); }));
    run.signal_first(SIGKILL);
    run.wait();
  }
  EXPECT_TRUE(eventually([&] { return fs::exists(trial(0) / "checkpoints" / "final"); }));
  EXPECT_EQ(last_step(trial(0)), 600);
}

TEST_F(Sweep, ASecondControllerRefuses) {
  write_sweep("budget: {trials: 1}\nset: {train.steps: 100000}\n");
  Background run(background_run());
  ASSERT_TRUE(eventually([&] { return evaluated(0, 1); }));
  const ShellResult second = sweep("run sweep.yaml");
  EXPECT_EQ(second.exit_code, 2);
  EXPECT_THAT(second.errors, HasSubstr("study"));
  EXPECT_TRUE(run.running());
}

TEST_F(Sweep, CtrlCStopsTrialsWithACheckpointAndTheSameCommandGoesOn) {
  write_sweep("budget: {trials: 1}\nset: {train.steps: 300}\n");
  {
    Background run(background_run());
    ASSERT_TRUE(eventually([&] { return evaluated(0, 1); }));
    run.signal_first(SIGINT);
    EXPECT_EQ(run.wait(), 75);
  }
  ASSERT_THAT(states(), ElementsAre("RUNNING"));
  const std::int64_t step = last_step(trial(0));
  ASSERT_LT(step, 300);
  const ShellResult ran = sweep("run sweep.yaml");
  ASSERT_EQ(ran.exit_code, 0) << ran.output << ran.errors;
  ASSERT_THAT(states(), ElementsAre("COMPLETE"));
  EXPECT_FALSE(trials()[0]["system_attributes"].contains("etude:retries"));
  expect_the_bits_of_plain_training(0);
}

TEST_F(Sweep, ABudgetOfMoneyEndsWhatRuns) {
  // 3600 an hour are one a second; each trial would take for ever.
  write_sweep("budget: {cost: 4 EUR}\nset: {train.steps: 10000000}\nresources: {max_concurrent_trials: 2}\n");
  std::ofstream(shop_.path() / "cluster.yaml") << "engine: local\nprice: {per_node_hour: 3600, currency: EUR}\n";
  const ShellResult ran = sweep("run sweep.yaml --cluster cluster.yaml --host 127.0.0.1");
  ASSERT_EQ(ran.exit_code, 0) << ran.output << ran.errors;
  EXPECT_THAT(ran.output, AllOf(HasSubstr("the budget of 4 EUR is used up"), HasSubstr("next: etude sweep status")))
      << "none is complete, so none is the best";
  ASSERT_EQ(trials().size(), 2);
  for (const Json& one : trials()) {
    EXPECT_NE(one["state"], "RUNNING");
    EXPECT_THAT(one["system_attributes"]["etude:reason"].get<std::string>(), HasSubstr("4 EUR"));
  }
  EXPECT_TRUE(etude_processes(shop_.path()).empty());
}

TEST_F(Sweep, ABudgetHoldsWhileThereIsNoController) {
  ASSERT_NO_FATAL_FAILURE(leave_a_trial_without_its_controller());
  EXPECT_TRUE(eventually([&] { return etude_processes(shop_.path()).empty(); })) << "it trains on, though nobody pays";
  EXPECT_GE(last_step(trial(0)), 10);
  EXPECT_EQ(Json::parse(slurp(trial(0) / "job" / "status.json"))["attempts"][0]["code"], 76);
  const ShellResult ran = sweep("run sweep.yaml --cluster cluster.yaml --host 127.0.0.1");
  EXPECT_EQ(ran.exit_code, 0) << ran.errors;
  ASSERT_THAT(states(), ElementsAre("PRUNED"));
}

TEST_F(Sweep, ABudgetHoldsForRanksThatAreStartedAnewWhileThereIsNoController) {
  ASSERT_NO_FATAL_FAILURE(leave_a_trial_without_its_controller());
  for (const Process& process : etude_processes((trial(0) / "job" / "experiment.yaml").string())) {
    kill(process.pid, SIGKILL);  // its rank, not its supervisor
  }
  ASSERT_TRUE(eventually([&] { return attempts(0) == 2; })) << "its supervisor starts it again";
  EXPECT_TRUE(eventually([&] { return etude_processes(shop_.path()).empty(); })) << "it trains on, though nobody pays";
  EXPECT_EQ(Json::parse(slurp(trial(0) / "job" / "status.json"))["attempts"][1]["code"], 76);
}

TEST_F(Sweep, WhatCannotBeIsSaidBeforeAnythingBegins) {
  const auto refusal = [&](const std::string& more) {
    write_sweep(more);
    const ShellResult ran = sweep("run sweep.yaml");
    EXPECT_EQ(ran.exit_code, 2) << more;
    return ran.errors;
  };
  EXPECT_THAT(refusal("metric: {name: eval_los}\n"), HasSubstr("sweep.yaml"));
  EXPECT_THAT(refusal("budget: {cost: 4 EUR}\n"), HasSubstr("price"));
  EXPECT_THAT(refusal("set: {train.step: 1}\n"), HasSubstr("train.steps"));
  EXPECT_THAT(refusal("resources: {ranks_per_trial: 64}\n"), HasSubstr("64 ranks"));
  EXPECT_FALSE(fs::exists(shop_.path() / "sweep.db"));
}

}  // namespace
}  // namespace etude::testing
