// Models that remember: what they remember belongs to the lanes of the global batch, wherever those are computed, and
// survives what a run survives.
#include <gmock/gmock.h>

#include "tests/system/program.h"

namespace etude::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int kSteps = 60;

const std::string kRemembering = "--set model.kind=transformer_xl --set evaluate.every=25 ";

nlohmann::json evaluation_of(const std::filesystem::path& run) {
  return nlohmann::json::parse(slurp(run / "evaluation.json"));
}

TEST(Memory, EndsWithTheSameBitsOnAnyNumberOfRanksAndThreads) {
  ETUDE_NEEDS_MPIRUN();
  const Workshop shop;
  const ShellResult alone = etude(shop.train("alone", kSteps, kRemembering));
  ASSERT_EQ(alone.exit_code, 0) << alone.errors;
  EXPECT_THAT(alone.errors, HasSubstr("lanes through whole pieces"));
  const auto losses = metrics_with(shop.run("alone"), "loss"),
             evaluations = metrics_with(shop.run("alone"), "eval_loss");
  EXPECT_LT(losses.back()["loss"], losses.front()["loss"]);
  ASSERT_EQ(etude(shop.train("threads", kSteps, kRemembering + "--set train.threads=3")).exit_code, 0);
  EXPECT_TRUE(shop.weights("threads") == shop.weights("alone")) << "three threads end with other bits than one";
  for (const int ranks : {2, 4}) {
    const std::string name = "ranks" + std::to_string(ranks);
    const ShellResult result = etude_on(ranks, shop.train(name, kSteps, kRemembering));
    ASSERT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_TRUE(shop.weights(name) == shop.weights("alone")) << ranks << " ranks end with other bits than one";
    const auto theirs = metrics_with(shop.run(name), "loss"), measured = metrics_with(shop.run(name), "eval_loss");
    ASSERT_EQ(theirs.size(), losses.size());
    for (std::size_t i = 0; i < losses.size(); ++i) {
      for (const char* figure : {"loss", "norm", "padding"}) EXPECT_EQ(theirs[i][figure], losses[i][figure]) << i;
    }
    EXPECT_EQ(measured, evaluations);
    EXPECT_TRUE(slurp(shop.run(name) / "checkpoints" / "last" / "lanes.safetensors") ==
                slurp(shop.run("alone") / "checkpoints" / "last" / "lanes.safetensors"));
  }
}

TEST(Memory, OfEveryKindIsTheSameOnTwoRanks) {
  ETUDE_NEEDS_MPIRUN();
  const Workshop shop;
  for (const std::string kind : {"compressive_transformer", "recurrent_memory_transformer"}) {
    const std::string more = "--set evaluate.every=0 --set model.kind=" + kind;
    const ShellResult one = etude(shop.train(kind + "1", 15, more)),
                      two = etude_on(2, shop.train(kind + "2", 15, more));
    ASSERT_EQ(one.exit_code, 0) << one.errors;
    ASSERT_EQ(two.exit_code, 0) << two.errors;
    EXPECT_TRUE(shop.weights(kind + "1") == shop.weights(kind + "2")) << kind;
    const auto with_memory_loss = metrics_with(shop.run(kind + "1"), "memory_loss");
    EXPECT_EQ(with_memory_loss.empty(), kind != "compressive_transformer");
  }
}

TEST(Memory, GoesOnAfterKillNineInMidLaneOnAnotherNumberOfRanks) {
  ETUDE_NEEDS_MPIRUN();
  const Workshop shop;
  ASSERT_EQ(etude(shop.train("undisturbed", kSteps, kRemembering)).exit_code, 0);
  const std::string killed = shop.train("killed", kSteps, kRemembering + "--set checkpoint.every=7 --resume");
  for (const auto& [ranks, until] : {std::pair(2, 15), std::pair(4, 30)}) {
    Background run(mpirun(ranks, killed));
    ASSERT_TRUE(eventually([&, least = until] { return last_step(shop.run("killed")) >= least; }));
    run.signal_all(SIGKILL);
    EXPECT_EQ(run.wait(), 128 + SIGKILL);
    run_shell("pkill -9 -f " + (shop.path() / "killed.yaml").string());
    ASSERT_LT(last_step(shop.run("killed")), kSteps) << "the run was over before it could be killed";
  }
  const ShellResult last = etude(killed);
  ASSERT_EQ(last.exit_code, 0) << last.errors;
  EXPECT_TRUE(shop.weights("killed") == shop.weights("undisturbed"));
  const auto expected = metrics_with(shop.run("undisturbed"), "loss"), rows = metrics_with(shop.run("killed"), "loss");
  ASSERT_EQ(rows.size(), expected.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i]["loss"], expected[i]["loss"]) << "step " << i + 1;
    EXPECT_EQ(rows[i]["padding"], expected[i]["padding"]) << "step " << i + 1;
  }
}

TEST(Memory, OfTrainingIsNotTouchedByEvaluations) {
  const Workshop shop;
  ASSERT_EQ(etude(shop.train("never", 30, kRemembering + "--set evaluate.every=0")).exit_code, 0);
  ASSERT_EQ(etude(shop.train("often", 30, kRemembering + "--set evaluate.every=3")).exit_code, 0);
  EXPECT_TRUE(shop.weights("never") == shop.weights("often"));
}

TEST(Memory, ThatIsDamagedInACheckpointSendsTheRunBackToTheOneBefore) {
  const Workshop shop;
  ASSERT_EQ(etude(shop.train("undisturbed", 30, kRemembering)).exit_code, 0);
  const std::string command =
      shop.train("damaged", 30, kRemembering + "--set evaluate.every=0 --set checkpoint.every=10");
  ASSERT_EQ(etude(command).exit_code, 0);
  std::filesystem::remove(shop.run("damaged") / "checkpoints" / "last" / "lanes.safetensors");
  const ShellResult resumed = etude(command + " --resume");
  ASSERT_EQ(resumed.exit_code, 0) << resumed.errors;
  EXPECT_THAT(resumed.errors, AllOf(HasSubstr("lanes.safetensors: is missing"), HasSubstr("resumed at step 20")));
  EXPECT_TRUE(shop.weights("damaged") == shop.weights("undisturbed"));
}

TEST(Memory, AndTheOrderOfTheDataAreOneRunsOwn) {
  const Workshop shop;
  const std::string command = shop.train("run", 10, kRemembering);
  ASSERT_EQ(etude(command).exit_code, 0);
  const ShellResult other = etude(command + " --resume --set data.order=shuffled");
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.errors, HasSubstr(R"(data.order: was "lanes", is "shuffled")"));
}

TEST(Memory, IsMeasuredAtAnyLengthAndBesideASlidingWindow) {
  const Workshop shop;
  ASSERT_EQ(etude(shop.train("run", 40, kRemembering)).exit_code, 0);
  const std::string evaluate = "evaluate " + shop.run("run").string();
  const ShellResult plain = etude(evaluate), none = etude(evaluate + " --memory 0"),
                    sliding = etude(evaluate + " --window sliding --context 40 --tokens 300"),
                    beside = etude(evaluate + " --tokens 300");
  ASSERT_EQ(plain.exit_code, 0) << plain.errors;
  ASSERT_EQ(none.exit_code, 0) << none.errors;
  ASSERT_EQ(sliding.exit_code, 0) << sliding.errors;
  ASSERT_EQ(beside.exit_code, 0) << beside.errors;
  EXPECT_THAT(plain.output, AllOf(HasSubstr("0 to 15"), HasSubstr("16 to 31"), HasSubstr("tokens/s")));
  EXPECT_THAT(sliding.output, HasSubstr("the whole would take about"));
  const nlohmann::json found = evaluation_of(shop.run("run"));
  EXPECT_EQ(found["validation/sliding=40/tokens=300"]["tokens"], 300);
  EXPECT_EQ(found["validation/tokens=300"]["tokens"], 300);
  const nlohmann::json &with = found["validation"], &without = found["validation/memory=0"];
  EXPECT_EQ(with["tokens"], without["tokens"]);
  // Within the first segment of 48 there is nothing to remember; after it there is.
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(with["by_position"][i], without["by_position"][i]);
  EXPECT_NE(with["by_position"][3]["loss"], without["by_position"][3]["loss"]);

  const ShellResult forgetful = etude(shop.train("forgetful", 5));
  ASSERT_EQ(forgetful.exit_code, 0) << forgetful.errors;
  const ShellResult refused = etude("evaluate " + shop.run("forgetful").string() + " --memory 10");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.errors, HasSubstr("memory"));
  const ShellResult window = etude("evaluate " + shop.run("forgetful").string() + " --window sliding --tokens 100");
  ASSERT_EQ(window.exit_code, 0) << window.errors;
  EXPECT_EQ(evaluation_of(shop.run("forgetful"))["validation/sliding=48/tokens=100"]["tokens"], 100);
}

}  // namespace
}  // namespace etude::testing
