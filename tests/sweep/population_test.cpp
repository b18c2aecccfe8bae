#include "sweep/samplers/population.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "sweep/pruners/population.h"
#include "tests/sweep/playground.h"

namespace etude::sweep {
namespace {

constexpr const char* kFour = "{population: 4, interval: 100, truncation: 0.25, resample: 0}";

SearchSpace rates() {
  SearchSpace space;
  space.entries.push_back({"train.lr", shared(Distribution::real(1e-6, 1, true)), {}});
  space.entries.push_back({"model.layers", shared(Distribution::integer(1, 12)), {}});
  space.entries.push_back({"train.warmup", shared(Distribution::integer(1, 50)), {}});
  return space;
}

double value(const Trial& trial, const std::string& name) { return trial.parameter(name)->value; }

std::int64_t note(const Suggestion& suggestion, const char* key) {
  return suggestion.notes.at(key).get<std::int64_t>();
}

TEST(PopulationBasedTraining, TheFirstGenerationBeginsFromScratch) {
  Playground ground{rates()};
  const auto sampler = make_sampler("pbt", kFour);
  std::set<std::int64_t> members;
  for (int i = 0; i < 4; ++i) {
    const Suggestion suggestion = ground.ask(*sampler);
    EXPECT_FALSE(suggestion.parent);
    EXPECT_EQ(note(suggestion, kGeneration), 0);
    EXPECT_EQ(note(suggestion, kUntil), 100);
    members.insert(note(suggestion, kMember));
    ground.begin(suggestion);
  }
  EXPECT_EQ(members, (std::set<std::int64_t>{0, 1, 2, 3}));
}

TEST(PopulationBasedTraining, EndsWhenAllHaveTrainedForAsLongAsAWholeTraining) {
  Playground ground{rates()};
  const auto sampler = make_sampler("pbt", "{population: 2, interval: 100}");
  sampler->set_steps(250);  // 100, 200, and 250 for the third
  const auto exhausted = [&] { return !sampler->exhausted(ground.space, {ground.directions, ground.trials}).empty(); };
  std::map<std::int64_t, int> generations;
  while (!exhausted() && ground.trials.size() < 20) {
    const Suggestion suggestion = ground.ask(*sampler);
    ++generations[note(suggestion, kMember)];
    EXPECT_LE(note(suggestion, kUntil), 300);
    Playground::end(ground.begin(suggestion), {1.0 / static_cast<double>(1 + ground.trials.size())});
  }
  EXPECT_EQ(generations, (std::map<std::int64_t, int>{{0, 3}, {1, 3}}));
}

TEST(PopulationBasedTraining, NobodyNewBeginsWhileTheLastAreAtTheirEnd) {
  Playground ground{rates()};
  const auto sampler = make_sampler("pbt", "{population: 2, interval: 100}");
  sampler->set_steps(200);
  const auto exhausted = [&] { return !sampler->exhausted(ground.space, {ground.directions, ground.trials}).empty(); };
  const auto begin = [&] {
    ground.begin(ground.ask(*sampler));
    return ground.trials.size() - 1;
  };
  const std::size_t slow = begin();
  EXPECT_FALSE(exhausted());
  for (int i = 0; i < 2; ++i) Playground::end(ground.trials[begin()], {1.0});
  EXPECT_TRUE(exhausted()) << "for now: one is at its end, the other has a generation to go and is running";
  Playground::end(ground.trials[slow], {2.0});
  EXPECT_FALSE(exhausted());
  Playground::end(ground.trials[begin()], {2.0});
  EXPECT_TRUE(exhausted());
}

// Jaderberg et al. 2017, section 4.1.1: the worst share goes on from one of the best, with values times 0.8 or 1.2;
// the others keep both weights and values.
TEST(PopulationBasedTraining, TheWorstGoOnFromTheBestAndTheOthersFromThemselves) {
  Playground ground{rates()};
  const auto sampler = make_sampler("pbt", kFour);
  for (const double loss : {3.0, 1.0, 4.0, 2.0}) Playground::end(ground.begin(ground.ask(*sampler)), {loss});
  for (std::int64_t member = 0; member < 4; ++member) {
    const Suggestion suggestion = ground.ask(*sampler);
    ASSERT_EQ(note(suggestion, kMember), member);
    EXPECT_EQ(note(suggestion, kGeneration), 1);
    EXPECT_EQ(note(suggestion, kUntil), 200);
    ASSERT_TRUE(suggestion.parent);
    EXPECT_EQ(*suggestion.parent, member == 2 ? 1 : member);
    const Trial& source = ground.trials[static_cast<std::size_t>(*suggestion.parent)];
    EXPECT_EQ(suggestion.values.at("model.layers"), value(source, "model.layers"));  // or its checkpoint would not fit
    const double factor = suggestion.values.at("train.lr") / value(source, "train.lr");
    if (member == 2) {
      EXPECT_NEAR(std::abs(factor - 1), 0.2, 1e-12);
      EXPECT_NE(suggestion.values.at("train.warmup"), value(source, "train.warmup"));
    } else {
      EXPECT_EQ(factor, 1);
    }
    ground.begin(suggestion);
  }
}

TEST(PopulationBasedTraining, NobodyWaitsForAMemberThatIsSlow) {
  Playground ground{rates()};
  const auto sampler = make_sampler("pbt", kFour);
  for (int i = 0; i < 4; ++i) ground.begin(ground.ask(*sampler));
  Playground::end(ground.trials[1], {5});
  const Suggestion alone = ground.ask(*sampler);
  EXPECT_EQ(note(alone, kMember), 1);
  EXPECT_EQ(*alone.parent, 1);
  ground.begin(alone);
  Playground::end(ground.trials[4], {5});
  Playground::end(ground.trials[0], {1});
  Playground::end(ground.trials[2], {3});
  // Behind the others comes first; member 1 in generation 2 is measured against what they have so far.
  EXPECT_EQ(note(ground.ask(*sampler), kMember), 0);
  ground.begin(ground.ask(*sampler));
  ground.begin(ground.ask(*sampler));
  const Suggestion third = ground.ask(*sampler);
  EXPECT_EQ(note(third, kMember), 1);
  EXPECT_EQ(note(third, kGeneration), 2);
  EXPECT_EQ(*third.parent, 0);
}

TEST(PopulationBasedTraining, WhatCameToNothingIsMadeUpForFromTheBest) {
  Playground ground{rates()};
  const auto sampler = make_sampler("pbt", kFour);
  for (const double loss : {1.0, 2.0, 3.0, 4.0}) Playground::end(ground.begin(ground.ask(*sampler)), {loss});
  for (int i = 0; i < 4; ++i) ground.begin(ground.ask(*sampler));
  Playground::end(ground.trials[5], {}, TrialState::kFail);
  const Suggestion again = ground.ask(*sampler);
  EXPECT_EQ(note(again, kMember), 1);
  EXPECT_EQ(note(again, kGeneration), 1);
  EXPECT_EQ(*again.parent, 0);
}

TEST(PopulationBasedTraining, AMemberThatDivergedIsLeftBehind) {
  Playground ground{rates()};
  const auto sampler = make_sampler("pbt", "{population: 10, interval: 100, truncation: 0.1}");
  for (int i = 0; i < 10; ++i) {
    Playground::end(ground.begin(ground.ask(*sampler)), {i < 3 ? std::numeric_limits<double>::infinity() : i});
  }
  for (int i = 0; i < 10; ++i) {
    const Suggestion suggestion = ground.ask(*sampler);
    EXPECT_EQ(*suggestion.parent, i < 3 ? 3 : i);
    ground.begin(suggestion);
  }
}

TEST(PopulationBasedTraining, MaximizesWhereThatIsAsked) {
  Playground ground{rates(), {Direction::kMaximize}};
  const auto sampler = make_sampler("pbt", kFour);
  for (const double score : {3.0, 1.0, 4.0, 2.0}) Playground::end(ground.begin(ground.ask(*sampler)), {score});
  ground.begin(ground.ask(*sampler));
  EXPECT_EQ(*ground.ask(*sampler).parent, 2);  // member 1, the worst, from member 2, the best
}

// The toy of the paper's Figure 2: Q = 1.2 - theta^2 is climbed by the surrogate 1.2 - h0 theta0^2 - h1 theta1^2. With
// h = (1, 0) or (0, 1) fixed neither weight alone gets near; a population that exchanges weights does.
TEST(PopulationBasedTraining, LearnsWhatNoFixedValueCan) {
  SearchSpace space;
  space.entries.push_back({"train.h0", shared(Distribution::real(0, 1)), {}});
  space.entries.push_back({"train.h1", shared(Distribution::real(0, 1)), {}});
  Playground ground{space};
  const auto sampler = make_sampler("pbt", "{population: 4, interval: 10, truncation: 0.25}");
  std::vector<std::pair<double, double>> weights;  // of each trial's checkpoint
  const auto train = [&](const Suggestion& suggestion) {
    auto [a, b] = suggestion.parent ? weights[static_cast<std::size_t>(*suggestion.parent)] : std::pair{0.9, 0.9};
    for (int step = 0; step < 10; ++step) {
      a -= 0.02 * suggestion.values.at("train.h0") * a;
      b -= 0.02 * suggestion.values.at("train.h1") * b;
    }
    weights.emplace_back(a, b);
    return a * a + b * b;
  };
  for (int i = 0; i < 160; ++i) {
    const Suggestion suggestion = ground.ask(*sampler);
    Playground::end(ground.begin(suggestion), {train(suggestion)});
  }
  const auto best_of = [&](std::size_t from, std::size_t to) {
    double least = 9;
    for (std::size_t i = from; i < to; ++i) least = std::min(least, ground.trials[i].values.front());
    return least;
  };
  // All 40 generations with the best values of the first four would have led to this.
  const Trial& first = *std::min_element(ground.trials.begin(), ground.trials.begin() + 4,
                                         [](const Trial& a, const Trial& b) { return a.values < b.values; });
  double a = 0.9, b = 0.9;
  for (int step = 0; step < 400; ++step) {
    a -= 0.02 * value(first, "train.h0") * a;
    b -= 0.02 * value(first, "train.h1") * b;
  }
  EXPECT_LT(best_of(156, 160), (a * a + b * b) / 2);
}

TEST(PopulationBasedTraining, SaysTheSameAfterARestartWhateverWasRunningMeanwhile) {
  Playground ground{rates()};
  const auto lasting = make_sampler("pbt", kFour);
  Random order(3);
  for (int i = 0; i < 60; ++i) {
    const Suggestion suggestion = ground.ask(*lasting), anew = ground.ask(*make_sampler("pbt", kFour));
    ASSERT_EQ(suggestion.values, anew.values);
    ASSERT_EQ(suggestion.notes, anew.notes);
    ASSERT_EQ(suggestion.parent, anew.parent);
    ground.begin(suggestion);
    std::vector<Trial*> running;
    for (Trial& trial : ground.trials) {
      if (trial.state == TrialState::kRunning) running.push_back(&trial);
    }
    if (running.size() < 3) continue;
    Playground::end(*running[order.below(running.size())], {order.uniform()});
  }
}

TEST(PopulationPruner, FinishesATrialAtTheEndOfItsGeneration) {
  const auto pruner = make_population_pruner();
  const std::vector<Direction> directions{Direction::kMinimize};
  const std::vector<Trial> none;
  Trial trial;
  trial.system_attributes[kUntil] = 200;
  trial.set_report({150, 1});
  EXPECT_EQ(pruner->judge({directions, none}, trial), Verdict::kContinue);
  trial.set_report({200, 1});
  EXPECT_EQ(pruner->judge({directions, none}, trial), Verdict::kFinish);
  trial.system_attributes.clear();  // somebody else's
  EXPECT_EQ(pruner->judge({directions, none}, trial), Verdict::kContinue);
}

}  // namespace
}  // namespace etude::sweep
