// What `etude inspect` says of an experiment before anything is trained.
#include <gmock/gmock.h>

#include "tests/system/program.h"

namespace etude::testing {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

std::string experiment_file(const std::filesystem::path& folder, const std::string& name, const std::string& text) {
  const std::filesystem::path file = folder / (name + ".yaml");
  std::ofstream(file) << text;
  return file.string();
}

TEST(Inspect, ForetellsARun) {
  const Workshop workshop;
  const ShellResult trained = etude(workshop.train("run", 5));
  ASSERT_EQ(trained.exit_code, 0) << trained.errors;
  const ShellResult shown = etude("inspect " + (workshop.path() / "run.yaml").string());
  ASSERT_EQ(shown.exit_code, 0) << shown.errors;

  // A GPT-2 of 2 layers, 32 wide, over 48 of 357 tokens, counted by hand.
  EXPECT_THAT(shown.output, ContainsRegex("token embedding +11,424 +29\\.7 %"));
  EXPECT_THAT(shown.output, ContainsRegex("attention +8,448 +22\\.0 %"));
  EXPECT_THAT(shown.output, ContainsRegex("in all +38,432\n"));
  EXPECT_THAT(shown.output, ContainsRegex("weights +0\\.1 MiB"));
  EXPECT_THAT(shown.output, ContainsRegex("training +234,432\n"));
  EXPECT_THAT(shown.output, ContainsRegex("evaluation +78,144\n"));
  EXPECT_THAT(shown.output, ContainsRegex("bear on a prediction +48\n"));
  EXPECT_THAT(shown.output, ContainsRegex("steps +5\n"));
  EXPECT_THAT(shown.output, ContainsRegex("tokens +1,920\n"));  // 5 steps of 8 sequences of 48
  // And what training itself has said.
  EXPECT_THAT(trained.output + trained.errors, HasSubstr("of 38,432 weights"));
  const double epochs = metrics_with(workshop.run("run"), "loss").back()["epoch"].get<double>();
  EXPECT_THAT(shown.output, ContainsRegex("epochs +" + std::to_string(epochs).substr(0, 4)));
}

TEST(Inspect, PutsExperimentsSideBySideWithoutAnyPack) {
  const TemporaryFolder folder;
  const std::string rest =
      "data: {pack: nowhere, sequence_length: 64}\ntrain: {steps: 10, global_batch: 4, micro_batch: 4}\n";
  const std::string one = experiment_file(
      folder.path(), "one", "name: one\n" + rest + "model: {kind: gpt2, layers: 2, width: 32, heads: 2}\n");
  const std::string two = experiment_file(
      folder.path(), "two", "name: two\n" + rest + "model: {kind: transformer_xl, layers: 2, width: 32, heads: 2}\n");
  const ShellResult shown = etude("inspect " + one + " " + two);
  ASSERT_EQ(shown.exit_code, 0) << shown.errors;
  EXPECT_THAT(shown.output, ContainsRegex("experiment +one +two\n"));
  EXPECT_THAT(shown.output, ContainsRegex("model +gpt2 +transformer_xl\n"));
  EXPECT_THAT(shown.output, ContainsRegex("attention to positions +– +2,048 "));
  EXPECT_THAT(shown.output, HasSubstr("there is no pack nowhere yet"));
  EXPECT_THAT(shown.output, ContainsRegex("epochs +\\? +\\?\n"));

  const ShellResult changed = etude("inspect --set train.steps=20 " + one);
  EXPECT_THAT(changed.output, ContainsRegex("steps +20\n")) << changed.errors;
}

TEST(Inspect, RefusesWhatItCannotShowTogether) {
  const TemporaryFolder folder;
  const std::string one = experiment_file(folder.path(), "one", "name: one\ndata: {pack: nowhere}\n");
  const ShellResult mixed = etude("inspect " + one + " " ETUDE_SOURCE_DIR "/data/corpus");
  EXPECT_EQ(mixed.exit_code, 2);
  EXPECT_THAT(mixed.errors, HasSubstr("not beside anything else"));
  EXPECT_EQ(etude("inspect " + one + " --set train.lr=fast").exit_code, 2);
}

}  // namespace
}  // namespace etude::testing
