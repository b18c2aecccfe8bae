#include "framework/evaluate/metrics.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "framework/config/error.h"
#include "tests/framework/evaluate/music.h"

namespace etude::evaluate {
namespace {

using namespace etude::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Three notes (two of them right) and a bar line: 2 nats per token, 8 / 3 per note.
Tally example(const data::Vocabulary& vocabulary) {
  Tally tally(vocabulary);
  tally.count({.target = kC4, .predicted = kC4, .likelier = 0, .nll = 0.5});
  tally.count({.target = kB3, .predicted = kB3, .likelier = 0, .nll = 0.5});
  tally.count({.target = kC4, .predicted = kB3, .likelier = 2, .nll = 3.0});
  tally.count({.target = kBar, .predicted = kVelocity, .likelier = 6, .nll = 4.0});
  return tally;
}

TEST(Metrics, AreMeansOfWhatWasCounted) {
  const data::Vocabulary vocabulary = small_vocabulary();
  const Metrics found = metrics(example(vocabulary));
  EXPECT_EQ(found.tokens, 4);
  EXPECT_EQ(found.notes, 3);
  EXPECT_DOUBLE_EQ(found.loss, 2.0);
  EXPECT_DOUBLE_EQ(found.loss_per_note, 8.0 / 3);
  EXPECT_DOUBLE_EQ(found.perplexity, std::exp(2.0));
  EXPECT_DOUBLE_EQ(found.top1, 0.5);
  EXPECT_DOUBLE_EQ(found.top5, 0.75);
  EXPECT_EQ(value_of(found, "eval_loss"), found.loss);
  EXPECT_EQ(value_of(found, "eval_loss_per_note"), found.loss_per_note);
  EXPECT_EQ(value_of(found, "eval_perplexity"), found.perplexity);
  EXPECT_EQ(value_of(found, "eval_top1"), found.top1);
  EXPECT_EQ(value_of(found, "eval_top5"), found.top5);
  EXPECT_THROW(value_of(found, "eval_bleu"), UsageError);
}

TEST(Metrics, KnowWhichWayIsBetter) {
  for (const std::string& name : kMetricNames) {
    EXPECT_EQ(more_is_better(name), name == "eval_top1" || name == "eval_top5") << name;
  }
}

TEST(Metrics, OfNothingAreNoughtAndNotNaN) {
  const data::Vocabulary vocabulary = small_vocabulary();
  const Metrics found = metrics(Tally(vocabulary));
  EXPECT_EQ(found.loss, 0);
  EXPECT_EQ(found.loss_per_note, 0);
  EXPECT_EQ(found.top1, 0);
}

TEST(Metrics, AsJsonAddUp) {
  const data::Vocabulary vocabulary = small_vocabulary();
  const nlohmann::json found = nlohmann::json::parse(to_json(example(vocabulary), vocabulary).dump());
  EXPECT_EQ(found["loss"], 2.0);
  EXPECT_EQ(found["by_family"].size(), 2);  // families that did not occur are left out
  EXPECT_DOUBLE_EQ(found["by_family"]["Pitch"]["loss"].get<double>(), 4.0 / 3);
  EXPECT_EQ(found["by_family"]["Bar"]["perplexity"], std::exp(4.0));
  EXPECT_EQ(found["confusion"]["families"]["names"][kPitchFamily], "Pitch");
  EXPECT_EQ(found["confusion"]["families"]["counts"][kBarFamily][kVelocityFamily], 1);
  EXPECT_EQ(found["confusion"]["families"]["counts"][kPitchFamily][kPitchFamily], 3);
  EXPECT_EQ(found["confusion"]["pitches"]["lowest"], 59);
  EXPECT_EQ(found["confusion"]["pitches"]["counts"], (nlohmann::json{{1, 0, 0, 0}, {1, 1, 0, 0}, {0, 0, 0, 0}}));
}

TEST(Metrics, AsATableShowAllAndEveryFamilyThatOccurred) {
  const data::Vocabulary vocabulary = small_vocabulary();
  Tally tally = example(vocabulary);
  tally.count({.target = kC4, .predicted = kC4, .likelier = 0, .nll = std::numeric_limits<double>::infinity()});
  const std::string text = table(tally, vocabulary);
  EXPECT_THAT(text, ::testing::ContainsRegex("all +4 +2.0000 +7.39 +50.0 +75.0"));
  EXPECT_THAT(text, ::testing::ContainsRegex("Pitch +3 +1.3333 +3.79 +66.7 +100.0"));
  EXPECT_THAT(text, HasSubstr("loss per note 2.6667 over 3 notes"));
  EXPECT_THAT(text, HasSubstr("1 tokens left out"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("Velocity")));
}

TEST(Confusions, AreToldInWordsMostFrequentFirst) {
  const data::Vocabulary vocabulary = small_vocabulary();
  Tally tally(vocabulary);
  for (int i = 0; i < 3; ++i) tally.count({.target = kB3, .predicted = kCSharp4, .likelier = 1, .nll = 1.0});
  for (int i = 0; i < 2; ++i) tally.count({.target = kC4, .predicted = kB3, .likelier = 1, .nll = 1.0});
  for (int i = 0; i < 7; ++i) tally.count({.target = kB3, .predicted = kB3, .likelier = 0, .nll = 1.0});
  tally.count({.target = kBar, .predicted = kVelocity, .likelier = 1, .nll = 1.0});
  EXPECT_THAT(confusions_in_words(tally, vocabulary, 10),
              ElementsAre("C#4 for B3 (2 semitones too high): 3 times, 30.0 % of such tokens",
                          "B3 for C4 (1 semitone too low): 2 times, 100.0 % of such tokens",
                          "Velocity where Bar was due: 1 time, 100.0 % of such tokens"));
  EXPECT_EQ(confusions_in_words(tally, vocabulary, 1).size(), 1);
  EXPECT_THAT(confusions_in_words(Tally(vocabulary), vocabulary, 3), ::testing::IsEmpty());
}

}  // namespace
}  // namespace etude::evaluate
