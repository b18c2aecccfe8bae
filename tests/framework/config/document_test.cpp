#include "framework/config/document.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/framework/config/experiment.h"
#include "tests/support/oracle.h"

namespace etude::config {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

using Assignments = std::vector<std::string>;

Experiment loaded(const std::string& yaml, const Assignments& assignments = {}) {
  Experiment experiment;
  Section root;
  describe(root, experiment);
  load_text(root, yaml, "my.yaml", assignments);
  return experiment;
}

std::vector<std::string> complaints(const std::string& yaml, const Assignments& assignments = {}) {
  try {
    loaded(yaml, assignments);
  } catch (const ConfigError& error) {
    return error.complaints();
  }
  return {};
}

TEST(Load, FillsTheFieldsAndKeepsDefaults) {
  const Experiment e = loaded(R"(
name: nocturnes in B flat
data: {pack: ../packs/a b, transpose: {semitones: [-5, +6], where: {composer: chopin, opus: 9}}}
model: {kind: xl, layers: 3, forget: {decay: .25}}
train:
  schedule: linear
  lr: 1e-3
)");
  EXPECT_EQ(e.name, "nocturnes in B flat");
  EXPECT_EQ(e.pack, "../packs/a b");
  EXPECT_THAT(e.semitones, ElementsAre(-5, 6));
  EXPECT_EQ(e.where, (std::map<std::string, std::string>{{"composer", "chopin"}, {"opus", "9"}}));
  EXPECT_EQ(e.xl_layers, 3);
  EXPECT_EQ(e.gpt2_layers, 6) << "an option of another alternative was written";
  EXPECT_EQ(e.memory_decay, 0.25);
  EXPECT_EQ(e.schedule, Schedule::kLinear);
  EXPECT_EQ(e.lr, 0.001);
  EXPECT_EQ(e.steps, 1000);
}

TEST(Load, TakesEmptyFilesAndSectionsForDefaults) {
  EXPECT_EQ(loaded("").steps, 1000);
  EXPECT_EQ(loaded("# nothing yet\n").steps, 1000);
  EXPECT_EQ(loaded("train:\n  # lr: 1\nname: x\n").name, "x");
}

TEST(Load, ReadsFilesAndSaysWhenItCannot) {
  etude::testing::TemporaryFolder folder;
  const auto file = folder.path() / "a.yaml";
  std::ofstream(file) << "train: {steps: 7}";
  Experiment e;
  Section root;
  describe(root, e);
  load(root, file, {"train.steps=8"});
  EXPECT_EQ(e.steps, 8);
  EXPECT_THROW(load(root, folder.path() / "b.yaml"), UsageError);
  EXPECT_THROW(load(root, folder.path()), UsageError);
}

TEST(Load, ComplainsOfEverythingAtOnceInTheOrderOfTheFile) {
  const auto all = complaints(
      "nme: a\n"
      "train:\n"
      "  steps: many\n"
      "  lr: 11\n"
      "data:\n"
      "  transpose: {semitones: [1]}\n",
      {"train.shedule=linear", "train.schedule=cosin", "data"});
  EXPECT_THAT(all, ElementsAre(AllOf(StartsWith("my.yaml:1:1: "), HasSubstr("'nme'"), HasSubstr("'name'?")),
                               AllOf(StartsWith("my.yaml:3:10: "), HasSubstr("'train.steps'"), HasSubstr("'many'")),
                               AllOf(StartsWith("my.yaml:4:7: "), HasSubstr("0 to 10"), HasSubstr("'11'")),
                               AllOf(StartsWith("my.yaml:6:26: "), HasSubstr("2 integers"), HasSubstr("1 value")),
                               AllOf(StartsWith("--set train.shedule=linear: "), HasSubstr("'train.schedule'?")),
                               AllOf(StartsWith("--set train.schedule=cosin: "), HasSubstr("'cosine'?")),
                               AllOf(StartsWith("--set data: "), HasSubstr("KEY=VALUE"))));
}

TEST(Load, SaysWhereAnUnknownKeyBelongs) {
  EXPECT_THAT(complaints("data: {lr: 1}"), ElementsAre(HasSubstr("did you mean 'train.lr'?")));
  EXPECT_THAT(complaints("data: {stepss: 1}"), ElementsAre(HasSubstr("did you mean 'train.steps'?")));
  EXPECT_THAT(complaints("train.lr: 1"), ElementsAre(HasSubstr("write 'lr' under 'train:'")));
  EXPECT_THAT(complaints("train: {volcano: 1}"), ElementsAre(HasSubstr("known here: steps, lr, schedule, ranks")));
}

TEST(Load, RefusesAnOptionOfAnotherAlternativeWithItsName) {
  EXPECT_THAT(complaints("model:\n  memory: 3\n  kind: gpt2\n"),
              ElementsAre("my.yaml:2:3: 'model.memory' is an option of model.kind xl, but model.kind is gpt2"));
  EXPECT_THAT(complaints("model: {kind: xl, memory: 3}", {"model.kind=gpt2"}), ElementsAre(HasSubstr("my.yaml:1:19")));
  EXPECT_EQ(loaded("model: {memory: 3}", {"model.kind=xl"}).memory, 3) << "--set comes before the file's other keys";
}

TEST(Load, DoesNotGuessAboutOptionsWhenTheAlternativeIsUnknown) {
  EXPECT_THAT(complaints("model: {kind: xxl, memory: 3, layers: 2}"), ElementsAre(HasSubstr("gpt2 or xl")));
}

TEST(Load, RefusesKeysGivenTwice) {
  EXPECT_THAT(complaints("train:\n  lr: 1\n  lr: 2\nname: a\n"),
              ElementsAre(AllOf(StartsWith("my.yaml:3:3: "), HasSubstr("'train.lr'"), HasSubstr("line 2"))));
  EXPECT_THAT(complaints("data: {transpose: {where: {a: b, a: c}}}"),
              ElementsAre(HasSubstr("where.a' is given twice")));
}

TEST(Load, RefusesWrongShapes) {
  EXPECT_THAT(complaints("train: 5"), ElementsAre(AllOf(StartsWith("my.yaml:1:8: 'train'"), HasSubstr("'5'"))));
  EXPECT_THAT(complaints("[a, b]"), ElementsAre(AllOf(StartsWith("my.yaml:1:1: "), HasSubstr("a list"))));
  EXPECT_THAT(complaints("train: {lr: [1]}"), ElementsAre(HasSubstr("expected a number (0 to 10), found a list of 1")));
  EXPECT_THAT(complaints("train: {lr: {a: 1}}"), ElementsAre(HasSubstr("found a map")));
  EXPECT_THAT(complaints("name:\nquiet: true\n"),
              ElementsAre(AllOf(StartsWith("my.yaml:1:1: "), HasSubstr("nothing"))));
  EXPECT_THAT(complaints("? [a]\n: b\n"), ElementsAre(HasSubstr("a key must be plain text")));
  EXPECT_THAT(complaints("name: a\n---\nname: b\n"), ElementsAre(HasSubstr("my.yaml:3:1: a second document")));
  EXPECT_THAT(complaints("train: 5", {"train.lr=1"}), ElementsAre(StartsWith("my.yaml:1:8")))
      << "--set must not hide a mistake in the file";
}

TEST(Load, PlacesErrorsOfSyntax) {
  EXPECT_THAT(complaints("name: a\ntrain: {lr: 1\n", {"train.lr=["}),
              ElementsAre(AllOf(StartsWith("my.yaml:"), HasSubstr("not valid YAML")),
                          AllOf(StartsWith("--set train.lr=[: not valid YAML"))));
  EXPECT_THAT(complaints("name: a\n  b: c\n"), ElementsAre(StartsWith("my.yaml:2:")));
}

TEST(Load, IsNotLedIntoTheDepthsByAliases) {
  EXPECT_EQ(loaded("train: {lr: &rate 0.5}\nname: *rate\n").name, "0.5");
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int j = 0; j < 9; ++j) bomb += ", " + last;
    bomb += "]\n";
  }
  EXPECT_THAT(complaints(bomb), ElementsAre(HasSubstr("more than 100000 values")));
  EXPECT_THAT(complaints("a: &a [*a]"), ElementsAre(HasSubstr("inside the value that it refers to")));
  EXPECT_THAT(complaints(std::string(10'000, '[')), ElementsAre(HasSubstr("nest more than 64 deep")));
}

TEST(Assignments, WinOverTheFileAndOverEarlierOnes) {
  EXPECT_EQ(loaded("train: {lr: 1}", {"train.lr=2", "train.lr=3"}).lr, 3);
  EXPECT_EQ(loaded("", {"name="}).name, "");
  EXPECT_EQ(loaded("", {"name=a=b"}).name, "a=b");
  EXPECT_THAT(loaded("", {"data.transpose.semitones=[-1, 1]"}).semitones, ElementsAre(-1, 1));
}

TEST(Assignments, OfMapsAreMergedKeyByKey) {
  const Experiment e = loaded("train: {lr: 1, steps: 2}", {"train={lr: 3}"});
  EXPECT_EQ(e.lr, 3);
  EXPECT_EQ(e.steps, 2);
  const std::string where = "data: {transpose: {where: {composer: bach}}}";
  EXPECT_EQ(loaded(where, {"data.transpose.where.opus=1"}).where.size(), 2U);
  EXPECT_TRUE(loaded(where, {"data.transpose.where={}"}).where.empty());
}

TEST(Assignments, WithoutAKeyAreRefused) {
  EXPECT_THAT(complaints("", {"=1"}), ElementsAre(HasSubstr("a key is empty")));
  EXPECT_THAT(complaints("", {"train..lr=1"}), ElementsAre(HasSubstr("a key is empty")));
}

// Distances counted by hand: a letter left out, doubled, wrong, or swapped with its neighbour is one edit.
TEST(Nearest, IsTheWordWithTheFewestEdits) {
  const std::vector<std::string> words = {"steps", "schedule", "warmup", "global_batch", "lr"};
  EXPECT_EQ(nearest("setps", words), "steps");
  EXPECT_EQ(nearest("shedule", words), "schedule");
  EXPECT_EQ(nearest("warmmup", words), "warmup");
  EXPECT_EQ(nearest("Global-Batch", words), "global_batch");
  EXPECT_EQ(nearest("rl", words), "lr");
  EXPECT_EQ(nearest("dropout", words), "");
  EXPECT_EQ(nearest("x", words), "");
  EXPECT_EQ(nearest("", words), "");
}

TEST(Description, RefusesANameTwice) {
  Section section("train");
  double lr = 0;
  section.number("lr", lr, {}, "");
  EXPECT_THROW(section.number("lr", lr, {}, ""), std::logic_error);
  EXPECT_THROW(section.section("lr", ""), std::logic_error);
}

}  // namespace
}  // namespace etude::config
