#include "report/standing.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "report/surroundings.h"
#include "tests/support/oracle.h"

namespace etude::report {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void add(Series& series, double step, double loss) {
  series.step.push_back(step);
  series.tokens.push_back(1000 * step);
  series.seconds.push_back(step);
  series.loss.push_back(loss);
}

/// Evaluations every 100 steps, and before each ten lines of training with these losses.
History history(const std::vector<double>& evaluation, const std::vector<double>& training = {}) {
  History made;
  for (std::size_t i = 0; i < evaluation.size(); ++i) {
    const double step = 100 * static_cast<double>(i + 1);
    for (int line = 9; line >= 0; --line)
      add(made.train, step - 10 * line, training.empty() ? evaluation[i] : training[i]);
    add(made.evaluation, step, evaluation[i]);
    made.step = static_cast<std::int64_t>(step);
  }
  return made;
}

/// 4 - 0.25 log2(k) after k evaluations: 0.25 less with each doubling of the tokens, for ever.
std::vector<double> by_doublings(int count) {
  std::vector<double> losses;
  for (int k = 1; k <= count; ++k) losses.push_back(4 - 0.25 * std::log2(k));
  return losses;
}

Surroundings guessing(std::int64_t vocabulary) {
  Surroundings around;
  around.vocabulary = vocabulary;
  return around;
}

std::string sentences(const Standing& stands) {
  std::string all;
  for (const std::string& sentence : stands.sentences) all += sentence + "\n";
  return all;
}

TEST(Trend, FallsByWhatADoublingOfTheTokensBrings) {
  const Standing stands = standing(history(by_doublings(16)), {});
  EXPECT_EQ(stands.trend.direction, Direction::kFalling);
  EXPECT_NEAR(stands.trend.per_doubling, -0.25, 1e-9);
  // From 800 to 1,600 steps it is 0.25 on 800 steps.
  EXPECT_NEAR(stands.trend.per_thousand_steps, -0.25 / 0.8, 0.03);
  EXPECT_THAT(sentences(stands), HasSubstr("still falling: by 0.250 with each doubling"));
}

TEST(Trend, IsFlatFromWhereNothingMoreCame) {
  const Standing stands = standing(history({4, 3, 2.5, 2.2, 2.2, 2.199, 2.2, 2.2, 2.201, 2.2}), {});
  EXPECT_EQ(stands.trend.direction, Direction::kFlat);
  EXPECT_EQ(stands.trend.since, 400);
  EXPECT_THAT(sentences(stands), HasSubstr("flat since step 400"));
}

TEST(Trend, RisesFromTheBestOn) {
  const Standing stands = standing(history({4, 3, 2.5, 2.2, 2.3, 2.4, 2.5, 2.6}), {});
  EXPECT_EQ(stands.trend.direction, Direction::kRising);
  EXPECT_EQ(stands.trend.since, 400);
  EXPECT_THAT(sentences(stands), HasSubstr("rising since step 400, where it was 2.200"));
}

TEST(Trend, IsNotReadOutOfNoise) {
  const Standing stands = standing(history({4, 3, 2.2, 2.35, 2.18, 2.33, 2.2, 2.36, 2.17, 2.34, 2.21, 2.35}), {});
  EXPECT_EQ(stands.trend.direction, Direction::kFlat) << sentences(stands);
  EXPECT_GT(stands.trend.noise, 0.05);
}

TEST(Trend, IsSeenThroughNoise) {
  std::vector<double> losses = by_doublings(40);
  for (std::size_t i = 0; i < losses.size(); ++i) losses[i] += i % 3 == 0 ? 0.02 : -0.01;
  const Trend trend = standing(history(losses), {}).trend;
  EXPECT_EQ(trend.direction, Direction::kFalling);
  EXPECT_NEAR(trend.per_doubling, -0.25, 0.05);
}

TEST(Trend, TakesThreePoints) {
  EXPECT_EQ(standing(history({4, 3}), {}).trend.direction, Direction::kUnknown);
  EXPECT_EQ(standing(history({4, 3, 2}), {}).trend.direction, Direction::kFalling);
}

// The bend of a beginning is no noise: 0.35 less at the second evaluation, and 0.02 or 0.09 less at the third.
TEST(Trend, AShortRunIsNotFlatBecauseItFellFastAtFirst) {
  for (const auto& losses : {std::vector{1.761, 1.435, 1.413}, std::vector{2.453, 1.706, 1.619},
                             std::vector{2.45, 1.90, 1.70, 1.65, 1.62}}) {
    const Standing stands = standing(history(losses), {});
    EXPECT_EQ(stands.trend.noise, 0);
    EXPECT_EQ(stands.trend.direction, Direction::kFalling) << sentences(stands);
  }
}

TEST(Standing, OfNothingIsNothing) {
  const Standing stands = standing({}, {});
  EXPECT_THAT(stands.sentences, IsEmpty());
  EXPECT_EQ(stands.warning, "");
  EXPECT_EQ(to_json(stands)["sentence"], "");
}

TEST(Standing, OfOneEvaluationIsItsLevel) {
  const Standing stands = standing(history({3.0}), guessing(100));
  EXPECT_THAT(stands.sentences,
              ElementsAre("Evaluation loss 3.000 per token at step 100; guessing among all 100 tokens "
                          "alike costs 4.605."));  // ln 100
}

TEST(Standing, LiesBetweenGuessingAndCounting) {
  Surroundings around = guessing(100);
  around.unigram = 4.0;
  around.floor = 2.0;
  around.floor_order = 5;
  const auto said = [&](double loss) { return standing(history({loss}), around).sentences.front(); };
  EXPECT_THAT(said(4.7), HasSubstr("no better than guessing among all 100 tokens alike (4.605)"));
  EXPECT_THAT(said(4.2), HasSubstr("no better than guessing by how often each token occurs (4.000)"));
  EXPECT_THAT(said(2.5),
              AllOf(HasSubstr("75 % of the way"), HasSubstr("what follows the 4 tokens before, reaches 2.000")));
  EXPECT_THAT(said(1.5), HasSubstr("better than plain counting by 0.500"));
  around.floor_on_more = true;
  EXPECT_THAT(said(1.5), HasSubstr("so roughly"));
}

TEST(Standing, GoesByTheTrainingLossWhereNothingWasEvaluated) {
  History made;
  for (int step = 1; step <= 200; ++step) add(made.train, step, 3 + (step % 2 == 0 ? 0.5 : -0.5));
  made.step = 200;
  const Standing stands = standing(made, {});
  EXPECT_FALSE(stands.evaluated);
  EXPECT_NEAR(stands.loss.value(), 3, 1e-9);
  EXPECT_EQ(stands.trend.direction, Direction::kFlat);
  EXPECT_THAT(sentences(stands), HasSubstr("not evaluated yet"));
}

TEST(Standing, WarnsOfMemorising) {
  const Standing stands = standing(history({4, 3.1, 2.8, 2.9, 3.2, 3.5}, {4, 3, 2.4, 1.8, 1.4, 1.0}), {});
  EXPECT_THAT(stands.warning, AllOf(HasSubstr("memorising"), HasSubstr("from 2.700 to 1.200")));
  EXPECT_NEAR(to_json(stands)["figures"]["memorising"]["gap"].get<double>(), 2.15, 1e-9);
  EXPECT_EQ(standing(history(by_doublings(16)), {}).warning, "");
}

TEST(Standing, SaysWhenTheLossIsNoNumberAnyMore) {
  History made = history({4, 3, 2});
  for (double step = 310; step <= 400; step += 10) add(made.train, step, kNan);
  made.step = 400;
  made.non_finite = 10;
  EXPECT_THAT(standing(made, {}).warning, AllOf(HasSubstr("no number any more"), HasSubstr("step 300")));
  made.train.loss.back() = 2.0;  // it has recovered
  EXPECT_EQ(standing(made, {}).warning, "");
  History never;
  add(never.train, 10, kNan);
  never.step = never.non_finite = 10;
  EXPECT_THAT(standing(never, {}).warning, HasSubstr("from the start"));
}

TEST(Standing, RanksItsBestAmongRunsLikeIt) {
  Surroundings around;
  around.siblings = {{"a", 2.5}, {"b", 2.9}};
  around.siblings_folder = "runs";
  const Standing second = standing(history({4, 3, 2.7, 2.75}), around);
  EXPECT_EQ(second.rank, 2U);
  EXPECT_THAT(second.sentences.back(), AllOf(HasSubstr("number 2 of 3 runs"), HasSubstr("'a' with 2.500")));
  const Standing first = standing(history({4, 2.0}), around);
  EXPECT_THAT(first.sentences.back(), AllOf(HasSubstr("the best of 3 runs"), HasSubstr("next is 'a'")));
}

/// Run folders as far as a Neighbourhood looks at them.
class Runs : public ::testing::Test {
 protected:
  std::filesystem::path make(const std::string& name, const std::string& pack, std::vector<double> losses,
                             int tokens = 1000) {
    const std::filesystem::path run = folder_.path() / name, checkpoint = run / "checkpoints" / "last";
    std::filesystem::create_directories(checkpoint);
    std::ofstream(checkpoint / "state.json") << Json{{"made_from", {{"the pack (its hash)", pack}}}};
    std::ofstream(checkpoint / "config.json") << Json{{"vocab_size", 100}};
    for (std::size_t i = 0; i < losses.size(); ++i) evaluate(name, 100 * static_cast<int>(i + 1), losses[i], tokens);
    return run;
  }
  void evaluate(const std::string& name, int step, double loss, int tokens = 1000) {
    std::ofstream metrics(folder_.path() / name / "metrics.jsonl", std::ios::app);
    metrics << Json{{"step", step}, {"loss", 1.0}} << "\n"
            << Json{{"step", step}, {"eval_loss", loss}, {"eval_tokens", tokens}} << "\n";
  }

  testing::TemporaryFolder folder_;
};

TEST_F(Runs, AreAlikeOnTheSamePackAndTokens) {
  const auto run = make("mine", "p", {3.0});
  make("alike", "p", {3.0, 2.5, 2.75});
  make("other-pack", "q", {1.0});
  make("other-tokens", "p", {1.0}, 500);
  std::filesystem::create_directories(folder_.path() / "no-run");
  Neighbourhood neighbourhood;
  Surroundings around = neighbourhood.of(run);
  ASSERT_THAT(around.siblings, ElementsAre(AllOf(Field(&Sibling::name, "alike"), Field(&Sibling::loss, 2.5))));
  EXPECT_EQ(around.vocabulary, 100);
  EXPECT_EQ(around.siblings_folder, folder_.path().filename().string());

  evaluate("alike", 400, 2.25);
  make("late", "p", {2.0});
  around = neighbourhood.of(run);
  ASSERT_THAT(around.siblings, SizeIs(2));
  EXPECT_EQ(around.siblings[0].loss, 2.25);
}

TEST_F(Runs, HaveAFloorOfTheirOwnPackAndSplitAlone) {
  const auto run = make("mine", "p", {3.0});
  Json floor{{"pack", "p"},
             {"split", "validation"},
             {"loss", 2.0},
             {"order", 4},
             {"orders", {{{"order", 1}, {"loss", 3.5}}, {{"order", 4}, {"loss", 2.0}}}}};
  const auto read = [&] {
    std::ofstream(run / "floor.json") << floor;
    return Neighbourhood().of(run);
  };
  EXPECT_EQ(read().floor, 2.0);
  EXPECT_EQ(read().unigram, 3.5);
  EXPECT_EQ(read().floor_order, 4);
  EXPECT_FALSE(read().floor_on_more);
  floor["tokens"] = 950;  // of the 1,000 that are evaluated: the first of a piece is none to predict
  EXPECT_FALSE(read().floor_on_more);
  floor["tokens"] = 2000;
  EXPECT_TRUE(read().floor_on_more);
  floor["pack"] = "q";
  EXPECT_EQ(read().floor, std::nullopt);
  floor["pack"] = "p";
  floor["split"] = "test";
  EXPECT_EQ(read().floor, std::nullopt);
  std::ofstream(run / "floor.json") << R"({"split": "validation", "loss": "low", "orders": 7)";
  EXPECT_EQ(Neighbourhood().of(run).floor, std::nullopt);
}

}  // namespace
}  // namespace etude::report
