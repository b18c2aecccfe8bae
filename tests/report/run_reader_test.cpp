#include "report/run_reader.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/config/error.h"
#include "report/grouping.h"
#include "report/metrics_reader.h"
#include "report/model.h"
#include "tests/report/run_folders.h"
#include "tests/support/oracle.h"

namespace etude::report {
namespace {

using ::etude::testing::pieces_at;
using ::etude::testing::RunFolderSpec;
using ::etude::testing::slurp;
using ::etude::testing::TemporaryFolder;
using ::etude::testing::write_run;
using ::etude::testing::write_text;
using ::testing::Contains;
using ::testing::HasSubstr;

namespace fs = std::filesystem;

constexpr std::size_t kPoints = 1000;

TEST(RunReader, ReadsWhatARunHas) {
  const TemporaryFolder folder;
  write_run(folder.path() / "run", {.pieces = pieces_at(3)});
  const report::Run run = read_run(folder.path() / "run", kPoints);
  EXPECT_TRUE(run.marks.empty()) << run.marks.front();
  EXPECT_TRUE(run.finished);
  EXPECT_EQ(run.config["model.kind"], "gpt2");
  EXPECT_EQ(run.config["train.lr"], 0.001);
  EXPECT_EQ(run.config["data.transpose.semitones"], Json({-5, 6}));
  EXPECT_EQ(run.config["train.init_from"], "");
  EXPECT_EQ(run.parameters, 1234567);
  EXPECT_EQ(run.history.step, 100);
  EXPECT_EQ(run.history.tokens, 50000);
  EXPECT_EQ(run.history.seconds, 50);
  ASSERT_EQ(run.history.train.size(), 10u);
  EXPECT_DOUBLE_EQ(run.history.train.loss.back(), 0.5);
  ASSERT_EQ(run.history.evaluation.size(), 2u);
  EXPECT_DOUBLE_EQ(run.history.evaluation.tokens[0], 25000);
  EXPECT_DOUBLE_EQ(run.history.evaluation.loss_per_note[1], 2.08);
}

TEST(RunReader, LinesAreReadWhateverStandsBesideTheFigures) {
  const History history = read_history(
      "{\"step\": 1, \"loss\": 2.5, \"note\": \"a \\\"loss\\\": 9, }\", \"rank_seconds\": {\"loss\": 7, \"list\": [1, "
      "{\"step\": 5}]}, "
      "\"memory_loss\": 8, \"tokens\": 10}\n"
      "{\"loss\":null,\"nonfinite\":{\"loss\":\"nan\"},\"step\":2,\"tokens\":20}\n"
      "\n"
      "{\"step\": 3, \"loss\": 1.5, \"tokens\": 30\n"
      "not json\n"
      "[1, 2]\n"
      "{\"step\": 1e300, \"loss\": 1}\n"
      "{\"step\": 4, \"loss\": 1.2x5}\n"
      "{\"step\": 4 {}, \"loss\": 1.25}\n"
      "{\"loss\":1.25e0,\"step\":4,\"tokens\":40}\r\n"
      "{\"step\": 5, \"lo",
      kPoints);
  EXPECT_EQ(history.train.step, (std::vector<double>{1, 4}));
  EXPECT_EQ(history.train.loss, (std::vector<double>{2.5, 1.25}));
  EXPECT_EQ(history.train.tokens, (std::vector<double>{10, 40}));
  EXPECT_EQ(history.non_finite, 1);
  EXPECT_EQ(history.broken, 8);
}

TEST(RunReader, ThinnedCurvesKeepEveryPeak) {
  Series series;
  for (int i = 0; i < 10000; ++i) {
    series.step.push_back(i);
    series.tokens.push_back(i);
    series.seconds.push_back(i);
    series.loss.push_back(i == 4321 ? 50 : i == 8765 ? -50 : std::sin(i * 0.001));
  }
  const Series thin = thinned(series, 500);
  EXPECT_LE(thin.size(), 500u);
  EXPECT_GE(thin.size(), 400u);
  EXPECT_THAT(thin.loss, Contains(50.0));
  EXPECT_THAT(thin.loss, Contains(-50.0));
  EXPECT_EQ(thin.step.front(), 0);
  EXPECT_EQ(thin.step.back(), 9999);
  EXPECT_TRUE(std::ranges::is_sorted(thin.step));
  EXPECT_EQ(thinned(thin, 1000).size(), thin.size());
}

TEST(RunReader, UnfinishedAndDamagedRunsAreReadAsFarAsTheyGo) {
  const TemporaryFolder folder;
  const fs::path run = folder.path() / "run";
  write_run(run, {.pieces = pieces_at(3), .done = 50, .finished = false});
  write_text(run / "metrics.jsonl", slurp(run / "metrics.jsonl") + "{\"loss\":2.0,\"st");
  write_text(run / "evaluation.json", slurp(run / "evaluation.json").substr(0, 100));
  write_text(run / "music.json", "[]");
  fs::remove(run / "environment.json");
  write_text(run / "config.yaml", "model: {kind: [\n");
  const report::Run read = read_run(run, kPoints);
  EXPECT_FALSE(read.finished);
  EXPECT_EQ(read.history.step, 50);
  EXPECT_EQ(read.parameters, std::nullopt);
  EXPECT_THAT(read.marks, Contains(HasSubstr("unfinished: step 50 of 100")));
  EXPECT_THAT(read.marks, Contains(HasSubstr("1 line of metrics.jsonl is damaged")));
  EXPECT_THAT(read.marks, Contains(HasSubstr("evaluation.json is damaged")));
  EXPECT_THAT(read.marks, Contains(HasSubstr("music.json is damaged")));
  EXPECT_THAT(read.marks, Contains(HasSubstr("config.yaml was left out: config.yaml:2:1")));
}

TEST(RunReader, TheShapesInACheckpointCountParametersWhereNothingElseDoes) {
  const TemporaryFolder folder;
  const fs::path run = folder.path() / "run";
  write_run(run, {.pieces = pieces_at(3)});
  fs::remove(run / "environment.json");
  fs::remove(run / "checkpoints" / "final");
  const std::string header =
      R"({"__metadata__":{},"a":{"dtype":"F32","shape":[3,4],"data_offsets":[0,48]},"b":{"dtype":"F32","shape":[5],"data_offsets":[48,68]}})";
  std::string length(8, '\0');
  length[0] = static_cast<char>(header.size());
  write_text(run / "checkpoints" / "final" / "model.safetensors", length + header);
  EXPECT_EQ(read_run(run, kPoints).parameters, 17);
}

TEST(RunReader, HostileFoldersEndInWordsAndNotInACrash) {
  const TemporaryFolder folder;
  const fs::path run = folder.path() / "run";
  write_run(run, {.pieces = pieces_at(3)});
  const std::string deep = std::string(100000, '[');
  for (const std::string& text :
       {std::string("{\"test\": 5}"), std::string("{\"test\": {\"pieces\": [1, null, {\"nll\": \"x\"}]}}"),
        std::string("{\"test\": {\"pieces\": [{\"id\": \"a\", \"nll\": 1e999, \"notes\": 0}]}}"),
        std::string("{\"test\": {\"loss\": \"x\", \"confusion\": 7, \"by_family\": [], \"pieces\": {}}}"), deep,
        std::string("\xff\xfe{}")}) {
    write_text(run / "evaluation.json", text);
    write_text(
        run / "music.json",
        "{\"pieces\": [{\"file\": \"../../../etc/passwd\"}, 7], \"measures\": [3, {\"values\": {\"generated\": 1}}]}");
    write_text(run / "tokenizer.json", "{\"kind\": \"\xff\"}");
    write_text(run / "generated" / "broken.mid", "MThd");
    Json model;
    EXPECT_NO_THROW(model = make_model({run}, {})) << text.substr(0, 80);
    EXPECT_FALSE(model["runs"][0]["marks"].empty());
  }
}

TEST(FindRuns, TakesRunsAndFoldersOfRunsOnceEach) {
  const TemporaryFolder folder;
  for (const char* name : {"runs/b", "runs/a", "alone"}) write_run(folder.path() / name, {.pieces = pieces_at(3)});
  write_text(folder.path() / "runs" / "notes.txt", "hello");
  write_text(folder.path() / "empty" / "readme", "hello");
  const Found found = find_runs({folder.path() / "alone" / "", folder.path() / "runs", folder.path() / "runs" / "a",
                                 folder.path() / "runs" / "notes.txt", folder.path() / "empty"});
  ASSERT_EQ(found.folders.size(), 3u);
  EXPECT_EQ(found.folders[0].filename(), "alone");
  EXPECT_EQ(found.folders[1].filename(), "a");
  EXPECT_EQ(found.passed_over.size(), 2u);
  EXPECT_THROW(find_runs({folder.path() / "empty"}), UsageError);
  EXPECT_THROW(find_runs({folder.path() / "alone", folder.path() / "no-such"}), UsageError);
}

TEST(FindRuns, RunsOfOneNameAreToldApartByTheirFolders) {
  const TemporaryFolder folder;
  for (const char* name : {"x/run", "y/run"}) write_run(folder.path() / name, {.pieces = pieces_at(3)});
  const std::vector<report::Run> runs = read_runs({folder.path() / "x/run", folder.path() / "y/run"}, kPoints);
  EXPECT_EQ(runs[0].name, "x/run");
  EXPECT_EQ(runs[1].name, "y/run");
}

TEST(Grouping, WhatDecidesNothingButSpeedMakesNoOtherConfiguration) {
  for (const char* key : {"seed", "name", "run", "train.threads", "train.device"})
    EXPECT_TRUE(is_incidental(key)) << key;
  for (const char* key : {"train.lr", "model.width", "data.transpose.semitones", "train.precision"}) {
    EXPECT_FALSE(is_incidental(key)) << key;
  }
}

}  // namespace
}  // namespace etude::report
