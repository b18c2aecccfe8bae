// What a person meets between a YAML file and new music.
#include <map>

#include <gmock/gmock.h>

#include "tests/system/program.h"

namespace etude::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Train, TellsEverythingThatIsWrongWithAConfigurationAtOnce) {
  TemporaryFolder folder;
  const auto file = folder.path() / "bad.yaml";
  std::ofstream(file) << "name: x\ndata: {pack: nowhere}\ntrain:\n  learning_rate: 1\n  steps: many\n  clip: -1\n";
  const ShellResult result = etude("train " + file.string() + " --set train.lrr=3");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, AllOf(HasSubstr("bad.yaml:4:3"), HasSubstr("learning_rate"), HasSubstr("bad.yaml:5:10"),
                                   HasSubstr("bad.yaml:6:9"), HasSubstr("--set"), HasSubstr("lr")));
}

TEST(Train, AMissingPackIsNamed) {
  TemporaryFolder folder;
  const auto file = folder.path() / "run.yaml";
  std::ofstream(file) << small_experiment(folder.path() / "nowhere", 5) << "run: " << (folder.path() / "r").string()
                      << "\n";
  const ShellResult result = etude("train " + file.string());
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.errors, HasSubstr("nowhere"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "r"));
}

TEST(Train, TheResolvedConfigurationTrainsToTheSameWeights) {
  const Workshop shop;
  ASSERT_EQ(etude(shop.train("first", 10, "--set train.lr=5e-4")).exit_code, 0);
  ASSERT_EQ(etude("train " + (shop.run("first") / "config.yaml").string() + " --set run=" + shop.run("second").string())
                .exit_code,
            0);
  EXPECT_TRUE(shop.weights("first") == shop.weights("second"));
}

TEST(Train, StopsEarlyAndEndsWithTheBestWeights) {
  const Workshop shop;
  // No evaluation can be a nat better than the best one for ever, so two in a row that are not end the run.
  const ShellResult result = etude(shop.train(
      "run", 2000, "--set evaluate.every=5 --set stop.patience=2 --set stop.min_delta=1 --set checkpoint.keep_best=2"));
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("stopped early"));
  EXPECT_LT(last_step(shop.run("run")), 2000);

  const auto evaluations = metrics_with(shop.run("run"), "eval_loss");
  const auto best = std::min_element(evaluations.begin(), evaluations.end(),
                                     [](const auto& a, const auto& b) { return a["eval_loss"] < b["eval_loss"]; });
  const auto manifest = nlohmann::json::parse(slurp(shop.run("run") / "checkpoints" / "best" / "manifest.json"));
  EXPECT_EQ(manifest["step"], (*best)["step"]);
  EXPECT_EQ(manifest["metric"], (*best)["eval_loss"]);
  EXPECT_TRUE(shop.weights("run", "final") == shop.weights("run", "best"));
}

TEST(Train, KeepsAsManyCheckpointsAsItWasTold) {
  const Workshop shop;
  ASSERT_EQ(etude(shop.train("run", 60,
                             "--set checkpoint.every=5 --set checkpoint.keep_last=3 --set checkpoint.keep_best=0 "
                             "--set stop.load_best_at_end=false"))
                .exit_code,
            0);
  std::vector<std::string> folders;
  for (const auto& entry : std::filesystem::directory_iterator(shop.run("run") / "checkpoints")) {
    if (!entry.is_symlink()) folders.push_back(entry.path().filename().string());
  }
  EXPECT_THAT(folders, ::testing::UnorderedElementsAre("step-00000050", "step-00000055", "step-00000060"));
}

TEST(Train, StartsFromAnotherRunsBestWeights) {
  const Workshop shop;
  ASSERT_EQ(etude(shop.train("teacher", 100)).exit_code, 0);
  const ShellResult result = etude(shop.train(
      "pupil", 1, "--set train.lr=0 --set train.weight_decay=0 --set train.init_from=" + shop.run("teacher").string()));
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_TRUE(shop.weights("pupil") == shop.weights("teacher", "best")) << "a learning rate of 0 changes nothing";
}

TEST(Train, AllRanksSkipAStepThatIsNotFiniteAndNameASequence) {
  ETUDE_NEEDS_MPIRUN();
  const Workshop shop;
  // A learning rate like this throws the weights out of all bounds in the first step.
  const std::string more =
      "--set train.lr=1e3 --set train.warmup=0 --set train.optimizer=sgd --set train.clip=0 "
      "--set train.momentum=0.999 --set evaluate.every=0";
  const ShellResult skipping = etude_on(2, shop.train("skip", 400, more));
  EXPECT_EQ(skipping.exit_code, 1);
  EXPECT_THAT(skipping.errors,
              AllOf(HasSubstr("all ranks skip the step"), HasSubstr(".abc#"), HasSubstr("not finite")));
  const ShellResult stopping = etude_on(2, shop.train("stop", 400, more + " --set train.non_finite=stop"));
  EXPECT_EQ(stopping.exit_code, 1);
  EXPECT_THAT(stopping.errors, HasSubstr("stopped"));
}

TEST(Train, RanksWithDifferentConfigurationsAreRefused) {
  ETUDE_NEEDS_MPIRUN();
  const Workshop shop;
  const std::string program = etude_program(), command = shop.train("run", 5);
  const ShellResult result =
      run_mpi(1, program + " " + command + " : -n 1 " + program + " " + command + " --set train.lr=0.5");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors,
              AllOf(HasSubstr("train.lr: 0.002 on rank 0; 0.5 on rank 1"), Not(HasSubstr("train.steps"))));
  EXPECT_FALSE(std::filesystem::exists(shop.run("run") / "metrics.jsonl")) << "a step was made";
}

TEST(Train, RanksWithDifferentProgramsOrPacksAreRefused) {
  ETUDE_NEEDS_MPIRUN();
  const Workshop shop;
  const std::string command = shop.train("run", 5), other = (shop.path() / "etude").string();
  // The same code in a file that is not the same: a build of another day.
  ASSERT_EQ(run_shell("cp " + etude_program() + " " + other + " && echo >> " + other).exit_code, 0);
  const ShellResult programs = run_mpi(2, etude_program() + " " + command + " : -n 1 " + other + " " + command);
  EXPECT_EQ(programs.exit_code, 2);
  EXPECT_THAT(programs.errors,
              AllOf(HasSubstr("the program: "), HasSubstr("on ranks 0, 1; "), HasSubstr(" on rank 2")));

  const std::string pack = (shop.path() / "other-pack").string();
  ASSERT_EQ(etude("pack --min-notes 40 --input " ETUDE_SOURCE_DIR "/data/corpus --output " + pack).exit_code, 0);
  const ShellResult packs = run_mpi(
      1, etude_program() + " " + command + " : -n 1 " + etude_program() + " " + command + " --set data.pack=" + pack);
  EXPECT_EQ(packs.exit_code, 2);
  EXPECT_THAT(packs.errors, AllOf(HasSubstr("the pack: "), HasSubstr("data.pack: ")));
}

TEST(Train, ProfilesTwoRanksAndChangesNothing) {
  const Workshop shop;
  ASSERT_EQ(etude_on(2, shop.train("plain", 8)).exit_code, 0);
  const ShellResult result = etude_on(2, shop.train("profiled", 8, "--profile=3"));
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.errors, AllOf(HasSubstr("profile of 3 steps"), HasSubstr("rank 1"), HasSubstr("forward"),
                                   HasSubstr("backward"), HasSubstr("waiting for gradients"), HasSubstr("aten::mm")));
  EXPECT_TRUE(shop.weights("plain") == shop.weights("profiled"));
  for (const int rank : {0, 1}) {
    const auto file = shop.run("profiled") / "profile" / ("rank-" + std::to_string(rank) + ".json");
    std::map<std::string, int> counts;
    const auto trace = nlohmann::json::parse(slurp(file));
    for (const auto& event : trace.at("traceEvents")) {
      EXPECT_EQ(event.at("pid"), rank);
      counts[event.at("name")] += 1;
    }
    EXPECT_EQ(counts["updating the weights"], 3);
    EXPECT_EQ(counts["backward"], 3 * 2);  // of four micro-batches each rank has two
    EXPECT_EQ(counts["attention"], 3 * 2 * 2);  // in two layers
    EXPECT_EQ(counts["backward of Attention"], counts["attention"]);
  }
}

TEST(Train, ProfilingARunTooShortForItSaysSo) {
  const Workshop shop;
  const ShellResult result = etude(shop.train("run", 2, "--profile"));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.errors, HasSubstr("--profile: training ended before step 3"));
}

}  // namespace
}  // namespace etude::testing
