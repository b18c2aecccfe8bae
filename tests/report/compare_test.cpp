#include "report/compare.h"

#include <gtest/gtest.h>

#include "framework/config/error.h"
#include "report/formats/formats.h"
#include "report/model.h"
#include "report/run_reader.h"
#include "tests/report/run_folders.h"
#include "tests/support/oracle.h"

namespace etude::report {
namespace {

using ::etude::testing::MeasuredPiece;
using ::etude::testing::pieces_at;
using ::etude::testing::RunFolderSpec;
using ::etude::testing::TemporaryFolder;
using ::etude::testing::write_run;

namespace fs = std::filesystem;

/// A place to write runs to, and the report on them.
class Report : public ::testing::Test {
 protected:
  fs::path add(const std::string& name, const RunFolderSpec& spec) {
    folders_.push_back(folder_.path() / name);
    write_run(folders_.back(), spec);
    return folders_.back();
  }
  Json model(const Options& options = {}) const { return make_model(folders_, options); }
  std::string summary(const Options& options = {}) const {
    const Json report = model(options);
    std::string text;
    for (const Json& sentence : report["summary"]) text += sentence.get<std::string>() + "\n";
    return text;
  }

  TemporaryFolder folder_;
  std::vector<fs::path> folders_;
};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_F(Report, NamesNoWinnerAmongRunsThatDifferByTheSeed) {
  for (int seed = 1; seed <= 2; ++seed) {
    add("seed-" + std::to_string(seed), {.seed = seed, .pieces = pieces_at(3 + 0.05 * seed, 40, 0.05, seed)});
  }
  const Json report = model();
  ASSERT_EQ(report["groups"].size(), 1u);
  EXPECT_EQ(report["groups"][0]["runs"].size(), 2u);
  EXPECT_TRUE(report["comparisons"].empty());
  EXPECT_TRUE(contains(summary(), "differ by the seed alone, so none of them is the better one")) << summary();
  EXPECT_FALSE(contains(summary(), "is better than"));
  EXPECT_NEAR(report["groups"][0]["deviation"].get<double>(), 0.05 / std::sqrt(2), 0.02);
}

TEST_F(Report, ACopyOfARunIsNoSecondSeed) {
  for (const char* name : {"small", "small-backup"}) {
    add(name, {.width = 128, .pieces = pieces_at(3.2, 40, 0.05, 1)});
  }
  add("large", {.width = 256, .pieces = pieces_at(3.0, 40, 0.05, 2)});
  const Json report = model();
  const Json& one = report["comparisons"][0];
  EXPECT_EQ(one["seeds"], Json::parse("[1, 1]"));
  EXPECT_TRUE(contains(one["sentence"], "each was trained once")) << one;
  EXPECT_TRUE(report["groups"][0]["deviation"].is_null());
  EXPECT_EQ(report["runs"][0]["marks"].dump(), "[]");
  EXPECT_TRUE(contains(report["runs"][1]["marks"].dump(), "the same as small to the last digit"));
}

TEST_F(Report, NamesRunsWhosePiecesCopyAndPiecesThatARunNeedNotHaveMade) {
  const Json copying{{"generated", {{"pieces", 20}, {"copied", 2}}}, {"copies", Json::array({Json::object()})}};
  const Json pieces = Json::array({{{"file", "piece-001.mid"}}});
  const fs::path own = add("own", {.pieces = pieces_at(3.0)});
  testing::write_text(own / "music.json", Json{{"seed", 1}, {"copying", copying}}.dump());
  const fs::path given = add("given", {.width = 512, .pieces = pieces_at(3.1)});
  testing::write_text(given / "music.json",
                      Json{{"folder", "/some/where"}, {"pieces", pieces}, {"copying", copying}}.dump());
  const fs::path novel = add("novel", {.width = 1024, .pieces = pieces_at(3.2)});
  testing::write_text(novel / "music.json", R"({"seed": 1, "copying": {"generated": {"copied": 0}, "copies": []}})");
  const Json report = model();
  EXPECT_TRUE(contains(summary(), "Warning: pieces of own, given (pieces in /some/where) copy longer")) << summary();
  EXPECT_EQ(report["runs"][0]["marks"].dump(), "[]");
  EXPECT_TRUE(contains(report["runs"][1]["marks"].dump(), "of the pieces in /some/where, which it need not have made"));
  EXPECT_FALSE(contains(report["runs"][1]["marks"].dump(), "left out"));
}

TEST_F(Report, ComparesNoLossOnPiecesThatWereLearnedFrom) {
  add("honest", {.pieces = pieces_at(3.0)});
  const fs::path knows = add("knows", {.width = 512, .pieces = pieces_at(2.0)});
  Json evaluation = Json::parse(testing::slurp(knows / "evaluation.json"));
  evaluation["test"]["learned"] = 3;
  testing::write_text(knows / "evaluation.json", evaluation.dump());
  EXPECT_TRUE(model()["comparisons"].empty());
  EXPECT_TRUE(contains(model()["runs"][1]["marks"].dump(), "learned from 3 of the pieces that it was measured on"));
}

// The tokens that a model could not measure are those that it fails at.
TEST_F(Report, ComparesNoLossThatLeavesTokensOut) {
  add("whole", {.pieces = pieces_at(3.0)});
  const fs::path broken = add("broken", {.width = 512, .pieces = pieces_at(2.0)});
  Json evaluation = Json::parse(testing::slurp(broken / "evaluation.json"));
  evaluation["test"]["non_finite"] = 12;
  testing::write_text(broken / "evaluation.json", evaluation.dump());
  const Json report = model();
  EXPECT_TRUE(report["comparisons"].empty());
  EXPECT_TRUE(contains(report["runs"][1]["marks"].dump(), "12 of the tokens had a likelihood that is no number"));
  EXPECT_TRUE(contains(summary(), "Left out of the comparison, with reasons beside it: broken.")) << summary();
}

TEST_F(Report, FindsARealDifferenceAndSaysHowLargeItIs) {
  for (int seed = 1; seed <= 3; ++seed) {
    const double luck = 0.01 * (seed - 2);
    add("small-" + std::to_string(seed), {.width = 128, .seed = seed, .pieces = pieces_at(3.2 + luck, 40, 0.05, seed)});
    add("large-" + std::to_string(seed),
        {.width = 256, .seed = seed, .pieces = pieces_at(3.0 + luck, 40, 0.05, 9 + seed)});
  }
  const Json report = model();
  ASSERT_EQ(report["groups"].size(), 2u);
  EXPECT_EQ(report["groups"][0]["name"], "width 128");
  ASSERT_EQ(report["comparisons"].size(), 1u);
  const Json& one = report["comparisons"][0];
  EXPECT_EQ(one["verdict"], "a better");
  EXPECT_EQ(one["a"], report["groups"][1]["id"]);
  EXPECT_NEAR(one["difference"].get<double>(), -0.2, 0.03);
  EXPECT_LT(one["low"].get<double>(), -0.2 + 0.03);
  EXPECT_GT(one["high"].get<double>(), -0.3);
  EXPECT_EQ(one["pieces"], 40);
  const std::string sentence = one["sentence"];
  EXPECT_TRUE(contains(sentence, "width 256 is better than width 128")) << sentence;
  EXPECT_TRUE(contains(sentence, "3 seeds each")) << sentence;
  EXPECT_FALSE(contains(sentence, "unknown")) << sentence;
}

TEST_F(Report, SaysThatOneSeedEachTellsOfTheseTwoRunsAlone) {
  add("small", {.width = 128, .pieces = pieces_at(3.2, 40, 0.05, 1)});
  add("large", {.width = 256, .pieces = pieces_at(3.0, 40, 0.05, 2)});
  const std::string sentence = model()["comparisons"][0]["sentence"];
  EXPECT_TRUE(contains(sentence, "This holds for these runs: each was trained once")) << sentence;
}

TEST_F(Report, TakesTheSpreadOfSeedsFromOtherConfigurationsWhereItMust) {
  add("a", {.width = 128, .pieces = pieces_at(3.05, 40, 0.01, 1)});
  add("b", {.width = 256, .pieces = pieces_at(3.0, 40, 0.01, 2)});
  const Json alone = model()["comparisons"][0];
  EXPECT_EQ(alone["verdict"], "a better") << alone;
  for (int seed = 1; seed <= 3; ++seed) {  // seeds that lie 0.2 apart
    add("c" + std::to_string(seed), {.width = 512, .seed = seed, .pieces = pieces_at(4 + 0.2 * seed, 40, 0.01, seed)});
  }
  const Json report = model();
  const Json& hinted = report["comparisons"][0];
  EXPECT_EQ(hinted["verdict"], "within noise") << hinted;
  EXPECT_TRUE(contains(hinted["sentence"], "from the configurations here that have several seeds")) << hinted;
}

TEST_F(Report, RefusesRunsMeasuredOnOtherMusic) {
  add("here", {.pieces = pieces_at(3.0)});
  auto others = pieces_at(3.0);
  for (MeasuredPiece& piece : others) piece.id += "-other";
  add("there", {.width = 512, .split_hash = "bbbb", .pieces = others});
  const Json report = model();
  EXPECT_TRUE(report["comparisons"].empty());
  ASSERT_EQ(report["refused"].size(), 1u);
  EXPECT_TRUE(contains(report["refused"][0]["reason"], "measured on other music: of 40 and 40 pieces 0 are the same"));
  EXPECT_FALSE(contains(summary(), "is better than"));
}

TEST_F(Report, ComparesOtherTokensByNoteAndRefusesThemByToken) {
  add("one", {.velocities = 32, .pieces = pieces_at(3.0)});
  auto longer = pieces_at(3.3);
  for (MeasuredPiece& piece : longer) piece.tokens *= 1.5;
  add("two", {.width = 512, .velocities = 8, .pieces = longer});
  EXPECT_EQ(model()["comparisons"].size(), 1u);
  const Json by_token = model({.metric = "loss"});
  EXPECT_TRUE(by_token["comparisons"].empty());
  ASSERT_EQ(by_token["refused"].size(), 1u);
  EXPECT_TRUE(contains(by_token["refused"][0]["reason"], "tokens are not the same"));
  EXPECT_THROW(model({.metric = "top1"}), UsageError);
}

TEST_F(Report, RefusesAPartOfTheSplit) {
  add("whole", {.pieces = pieces_at(3.0)});
  auto part = pieces_at(3.0);
  for (MeasuredPiece& piece : part) piece.tokens /= 2;
  add("part", {.width = 512, .pieces = part});
  EXPECT_TRUE(contains(model()["refused"][0]["reason"], "different parts of the split"));
}

TEST_F(Report, LeavesOutRunsMeasuredInAnotherWayOrNotAtAllWithTheWayOut) {
  add("plain", {.pieces = pieces_at(3.0)});
  const fs::path sliding = add("sliding", {.width = 512, .split = "test/sliding=64", .pieces = pieces_at(2.0)});
  add("never", {.width = 1024, .split = "", .pieces = {}});
  const fs::path old = add("old", {.width = 64, .pieces = pieces_at(2.5)});
  Json evaluation = Json::parse(testing::slurp(old / "evaluation.json"));
  evaluation["test"].erase("pieces");
  testing::write_text(old / "evaluation.json", evaluation.dump());
  const Json report = model();
  EXPECT_TRUE(report["comparisons"].empty());
  const auto mark = [&](std::size_t run) { return report["runs"][run]["marks"].dump(); };
  EXPECT_EQ(mark(0), "[]");
  EXPECT_TRUE(contains(mark(1), "'test/sliding=64' instead of 'test'")) << mark(1);
  EXPECT_TRUE(contains(mark(1), "etude evaluate " + sliding.string() + " --split test")) << mark(1);
  EXPECT_TRUE(contains(mark(2), "was not measured on the test split")) << mark(2);
  EXPECT_TRUE(contains(mark(3), "without a figure for each piece")) << mark(3);
  EXPECT_TRUE(contains(summary(), "Left out of the comparison, with reasons beside them: sliding, never, old."))
      << summary();
}

TEST_F(Report, MarksRunsThatLearnedFromOtherMusic) {
  int number = 0;
  for (const char* music : {"xxxx", "yyyy"}) {
    const fs::path run = add(music, {.width = 128 + number, .pieces = pieces_at(3.0 + 0.1 * number)});
    ++number;
    Json evaluation = Json::parse(testing::slurp(run / "evaluation.json"));
    evaluation["test"]["train_hash"] = music;
    testing::write_text(run / "evaluation.json", evaluation.dump());
  }
  const Json report = model();
  EXPECT_EQ(report["comparisons"].size(), 1u);
  EXPECT_TRUE(report["runs"][0]["marks"].empty());
  EXPECT_TRUE(contains(report["runs"][1]["marks"].dump(), "learned from other music"));
  EXPECT_TRUE(contains(summary(), "Warning: learned from other music than width 128: yyyy."));
}

TEST_F(Report, WhatOnlyOneKindOfModelHasIsNoPartOfItsName) {
  add("plain", {.pieces = pieces_at(3.0)});
  const fs::path other = add("other", {.kind = "transformer_xl", .width = 128, .pieces = pieces_at(3.1)});
  testing::write_text(other / "config.yaml", testing::slurp(other / "config.yaml") + "memory: {length: 64}\n");
  const Json report = model();
  EXPECT_EQ(report["groups"][0]["name"], "gpt2, width 256");
  EXPECT_EQ(report["groups"][1]["name"], "transformer_xl, width 128");
}

TEST_F(Report, SaysNothingOfFourPieces) {
  add("small", {.width = 128, .pieces = pieces_at(3.2, 4)});
  add("large", {.width = 256, .pieces = pieces_at(3.0, 4)});
  const Json one = model()["comparisons"][0];
  EXPECT_EQ(one["verdict"], "not comparable");
  EXPECT_TRUE(one["low"].is_null());
  EXPECT_TRUE(contains(one["sentence"], "4 pieces are too few")) << one;
}

TEST_F(Report, ComparesManyConfigurationsWithTheBestAndTheirNeighbours) {
  for (int i = 0; i < 20; ++i) {
    add("run-" + std::to_string(i), {.width = 32 + i, .pieces = pieces_at(3.0 + 0.1 * i, 20, 0.02, i)});
  }
  const Json report = model();
  EXPECT_EQ(report["comparisons"].size(), 19u + 18u);
  for (const Json& one : report["comparisons"]) EXPECT_EQ(one["verdict"], "a better");
}

TEST_F(Report, CountsCostByTheJobOrTheClockAndByOnePriceForAll) {
  add("clock", {.pieces = pieces_at(3.0)});  // 100 steps of 0.5 s on 2 ranks of 4 threads
  const fs::path job = add("job", {.width = 512, .pieces = pieces_at(3.0)});
  testing::write_text(
      job / "job" / "status.json",
      R"({"usage": {"core_hours": 16.0, "gpu_hours": 2.0, "cost": 5.5, "currency": "EUR"}, "words": "done"})");
  const Json report = model();
  EXPECT_NEAR(report["runs"][0]["cost"]["core_hours"].get<double>(), 50.0 / 3600 * 8, 1e-12);
  EXPECT_TRUE(report["runs"][0]["cost"]["money"].is_null());
  EXPECT_EQ(report["runs"][1]["cost"]["money"], 5.5);
  EXPECT_EQ(report["runs"][1]["cost"]["currency"], "EUR");
  Options priced;
  priced.prices = {.core_hour = 0.1, .gpu_hour = 2.0, .currency = "CHF"};
  const Json with_prices = model(priced);
  EXPECT_NEAR(with_prices["runs"][0]["cost"]["money"].get<double>(), 0.1 * 50.0 / 3600 * 8, 1e-12);
  EXPECT_EQ(with_prices["runs"][1]["cost"]["money"], 4.0);
  EXPECT_EQ(with_prices["runs"][1]["cost"]["currency"], "CHF");
}

TEST_F(Report, AConfigurationCostsWhatItsRunsCostOnAverage) {
  for (const auto& [name, seed, hours] : {std::tuple("one", 1, "3.0"), std::tuple("two", 2, "5.0")}) {
    const fs::path run = add(name, {.seed = seed, .pieces = pieces_at(3.0)});
    testing::write_text(run / "job" / "status.json", R"({"usage": {"core_hours": )" + std::string(hours) + "}}");
  }
  const Json report = model();
  ASSERT_EQ(report["groups"].size(), 1U);
  EXPECT_EQ(report["groups"][0]["cost"]["core_hours"], 4.0);
  EXPECT_EQ(report["groups"][0]["seconds"], 50.0);
  EXPECT_TRUE(contains(summary(), "50s and 4 core-hours")) << summary();
  EXPECT_TRUE(contains(markdown(report), "50s | 4 core-hours |")) << markdown(report);
}

/// Runs as compare() takes them, without folders: `spread` between seeds, `lead` of the second configuration.
Compared compare_simulated(int seeds, double spread, double lead, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> luck(0, spread);
  const Metric& metric = metric_of("loss_per_note");
  std::vector<Run> runs;
  std::vector<Measured> measured;
  for (int configuration = 0; configuration < 2; ++configuration) {
    for (int i = 0; i < seeds; ++i) {
      Run run;
      run.name = std::to_string(runs.size());
      run.config = {{"seed", i}, {"model.width", configuration}};
      Measured one;
      for (const MeasuredPiece& piece : pieces_at(3.0 - configuration * lead + luck(random), 30, 0.1, random())) {
        one.ids.push_back(piece.id);
        one.pieces.above.push_back(piece.nll);
        one.pieces.below.push_back(piece.notes);
      }
      one.value = analysis::ratio_of_sums(one.pieces);
      runs.push_back(std::move(run));
      measured.push_back(std::move(one));
    }
  }
  return compare(measured, group_runs(runs, measured, metric), metric);
}

int called_different(int times, int seeds, double spread, double lead) {
  int count = 0;
  for (int i = 0; i < times; ++i) {
    const Compared compared = compare_simulated(seeds, spread, lead, 500 + static_cast<std::uint64_t>(i));
    count += compared.comparisons.at(0).verdict != Verdict::kWithinNoise;
  }
  return count;
}

TEST(Seeds, EqualConfigurationsAreCalledDifferentNoMoreOftenThanPromised) {
  constexpr int kTimes = 200;
  // 5 % and three standard deviations of such a count (1.5 % each).
  constexpr int kMost = static_cast<int>(kTimes * (0.05 + 3 * 0.0154));
  for (const int seeds : {2, 3}) EXPECT_LE(called_different(kTimes, seeds, 0.05, 0), kMost) << seeds << " seeds";
}

TEST(Seeds, ALeadOfManyTimesTheSpreadIsSeen) { EXPECT_GE(called_different(50, 3, 0.02, 0.2), 48); }

}  // namespace
}  // namespace etude::report
