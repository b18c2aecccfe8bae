#include "sweep/controller.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sweep/memory_storage.h"

namespace etude::sweep {
namespace {

using testing::HasSubstr;

const std::string kPlain = R"(
name: study
experiment: experiment.yaml
metric: {name: loss, goal: minimize}
parameters:
  x: {type: float, low: 0, high: 1}
sampler: {kind: random, seed: 7}
pruner: {kind: none}
)";

/// A study on a disk that outlives its controllers, and a clock that goes when it is told to.
class ControllerTest : public testing::Test {
 protected:
  void begin(const std::string& more = "", const std::string& file = kPlain) {
    sweep_ = load_sweep_text(file + more, "sweep.yaml");
    restart();
  }
  void restart() {
    controller_.reset();
    controller_ =
        std::make_unique<Controller>(*sweep_, std::make_unique<MemoryStorage>(disk_), [this] { return now_; });
  }
  std::int64_t ask(const std::string& request, const Worker& worker = {}) {
    const auto order = controller_->ask(worker, request);
    return order ? order->number : -1;
  }
  Answer report(std::int64_t number, std::int64_t step, double loss) {
    return controller_->report(number, {{step, {{"loss", loss}}}});
  }
  void complete(std::int64_t number, double loss) {
    controller_->tell(number, {TrialState::kComplete, {{"loss", loss}}, ""});
  }
  const Trial& stored(std::int64_t number) const { return disk_.trials.at(static_cast<std::size_t>(number)); }
  std::string reason(std::int64_t number) const {
    return stored(number).system_attributes.at(kReason).get<std::string>();
  }
  std::string over() {
    std::string words;
    controller_->view([&](const View& view) { words = view.over; });
    return words;
  }

  double now_ = 1'000'000;
  Disk disk_;
  std::unique_ptr<SweepFile> sweep_;
  std::unique_ptr<Controller> controller_;
};

TEST_F(ControllerTest, WhatIsAskedTwiceWithOneWordIsAnsweredWithOneTrial) {
  begin();
  EXPECT_EQ(ask("a"), 0);
  EXPECT_EQ(ask("a"), 0);
  EXPECT_EQ(ask("b"), 1);
  restart();
  EXPECT_EQ(ask("a"), 0) << "also of a controller that was killed before its answer arrived";
  EXPECT_EQ(disk_.trials.size(), 2);
}

TEST_F(ControllerTest, WhatIsReportedTwiceCountsOnceAndTheFirstHolds) {
  begin();
  ask("a");
  report(0, 10, 3.0);
  report(0, 10, 2.0);
  report(0, 20, 1.0);
  EXPECT_EQ(stored(0).reports, (std::vector<Report>{{10, 3.0}, {20, 1.0}}));
  complete(0, 1.0);
  complete(0, 0.5);
  EXPECT_EQ(stored(0).values, std::vector<double>{1.0});
}

TEST_F(ControllerTest, AControllerThatWasKilledKnowsItsTrialsWhenItIsBack) {
  begin();
  ask("a");
  ask("b");
  report(0, 10, 3.0);
  complete(1, 2.0);
  restart();
  report(0, 20, 2.5);
  complete(0, 2.5);
  EXPECT_EQ(stored(0).state, TrialState::kComplete);
  EXPECT_EQ(stored(0).reports.size(), 2);
  EXPECT_EQ(stored(1).values, std::vector<double>{2.0});
  EXPECT_EQ(ask("c"), 2);
}

TEST_F(ControllerTest, ValuesOfAnotherMetricAreNotTakenForThoseOfThisOne) {
  begin();
  ask("a");
  complete(0, 0.25);
  controller_.reset();
  std::string other = kPlain;
  other.replace(other.find("{name: loss"), 11, "{name: perplexity");
  try {
    begin("", other);
    FAIL() << "a loss of 0.25 would be the best perplexity for ever";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("\"loss\""), HasSubstr("\"perplexity\"")));
  }
}

TEST_F(ControllerTest, WhatATrialWasOnceLostForIsNotSaidOfItWhenItIsComplete) {
  begin("resources: {max_restarts: 1}\ncontroller: {lease: 60s}\n");
  ask("a");
  now_ += 61;
  controller_->look_around();
  EXPECT_THAT(reason(0), HasSubstr("no word"));
  ask("b");
  complete(0, 1.0);
  EXPECT_EQ(stored(0).state, TrialState::kComplete);
  EXPECT_FALSE(stored(0).system_attributes.contains(kReason));
  EXPECT_EQ(stored(0).system_attributes.at(kRetries), 1);
}

TEST_F(ControllerTest, ATrialWhoseWorkerIsSilentIsGivenToAnotherAndFailsInTheEnd) {
  begin("resources: {max_restarts: 1}\ncontroller: {lease: 60s}\n");
  ask("a");
  report(0, 10, 3.0);
  now_ += 59;
  controller_->look_around();
  EXPECT_EQ(ask("b"), 1) << "its lease is not over";
  now_ += 2;
  report(1, 10, 3.0);
  controller_->look_around();
  const auto again = controller_->ask({}, "c");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->number, 0) << "rather than a new one";
  EXPECT_EQ(again->resumed_at, 10);
  now_ += 61;
  controller_->look_around();
  EXPECT_EQ(stored(0).state, TrialState::kFail);
  EXPECT_THAT(reason(0), HasSubstr("no word from its worker"));
  EXPECT_EQ(disk_.trials.size(), 2) << "no trial was counted twice";
}

TEST_F(ControllerTest, ALeaseBeginsAnewWithAController) {
  begin("controller: {lease: 60s}\n");
  ask("a");
  now_ += 3600;
  restart();
  controller_->look_around();
  report(0, 10, 1.0);
  EXPECT_EQ(stored(0).state, TrialState::kRunning);
  EXPECT_FALSE(stored(0).system_attributes.contains(kRetries));
}

TEST_F(ControllerTest, AWorkerThatWasTakenForLostMayGoOn) {
  begin("controller: {lease: 60s}\n");
  ask("a");
  now_ += 61;
  controller_->look_around();
  EXPECT_EQ(report(0, 10, 1.0).verdict, Verdict::kContinue);
  EXPECT_EQ(ask("b"), 1) << "so nobody else is given it";
}

TEST_F(ControllerTest, ALaunchedTrialThatLivesOnIsStillItsLaunchers) {
  begin();
  Worker worker;
  worker.cores = 3;
  worker.launched = true;
  ask("a", worker);
  controller_->note_stints(0, {{worker, now_, now_ + 5, true}});
  now_ += 10;
  controller_->lose(0, "its supervisor was killed");
  EXPECT_EQ(report(0, 10, 1.0).verdict, Verdict::kContinue) << "its ranks were not";
  const Standing standing = controller_->standings().at(0);
  EXPECT_TRUE(standing.worker.launched) << "or its job would be nobody's";
  EXPECT_EQ(standing.worker.cores, 3);
  EXPECT_EQ(standing.given, now_) << "as a job that is to be begun again";
}

TEST_F(ControllerTest, ATrialThatIsPrunedKeepsItsLastReportAndStaysSo) {
  begin("", R"(
name: study
experiment: experiment.yaml
metric: {name: loss, goal: minimize}
parameters: {x: {type: float, low: 0, high: 1}}
sampler: {kind: random}
pruner: {kind: threshold, upper: 5}
)");
  ask("a");
  EXPECT_EQ(report(0, 10, 4.0).verdict, Verdict::kContinue);
  EXPECT_EQ(report(0, 20, 6.0).verdict, Verdict::kPrune);
  EXPECT_EQ(stored(0).state, TrialState::kPruned);
  EXPECT_EQ(stored(0).values, std::vector<double>{6.0});
  EXPECT_EQ(report(0, 20, 6.0).verdict, Verdict::kPrune) << "an answer that was lost is given again";
  restart();
  EXPECT_EQ(report(0, 30, 1.0).verdict, Verdict::kPrune) << "also by the next controller";
  controller_->tell(0, {TrialState::kComplete, {{"loss", 1.0}}, ""});
  EXPECT_EQ(stored(0).state, TrialState::kPruned);
}

const std::string kHalving = R"(
name: study
experiment: experiment.yaml
metric: {name: loss, goal: minimize}
parameters: {x: {type: float, low: 0, high: 1}}
sampler: {kind: random}
pruner: {kind: successive_halving, min_step: 10, reduction: 2}
budget: {trials: 4}
)";

TEST_F(ControllerTest, APausedTrialGoesOnWhenItIsPromotedAndOnlyOnceItHasEnded) {
  begin("", kHalving);
  for (const char* request : {"a", "b", "c", "d"}) ask(request);
  EXPECT_EQ(report(0, 10, 1.0).verdict, Verdict::kContinue) << "the best so far";
  ASSERT_EQ(report(1, 10, 2.0).verdict, Verdict::kPause);
  for (const std::int64_t number : {2, 3}) {
    ASSERT_EQ(report(number, 10, 1.0 + static_cast<double>(number)).verdict, Verdict::kPause);
    controller_->tell(number, {TrialState::kPruned, {}, ""});
  }
  // Half of the four may go on, so trial 1 may now.
  EXPECT_EQ(ask("e"), -1) << "it is still writing its checkpoint";
  EXPECT_EQ(over(), "") << "so that workers do not go home";
  controller_->tell(1, {TrialState::kPruned, {}, ""});
  const auto order = controller_->ask({}, "f");
  ASSERT_TRUE(order);
  EXPECT_EQ(order->number, 1);
  EXPECT_EQ(order->resumed_at, 10);
  EXPECT_FALSE(stored(1).paused());
  complete(0, 0.5);
  complete(1, 0.6);
  controller_->look_around();
  EXPECT_TRUE(controller_->finished());
  EXPECT_EQ(stored(2).state, TrialState::kPruned) << "nobody will ask for it any more";
  EXPECT_EQ(disk_.trials.size(), 4) << "a promotion is no new trial";
}

TEST_F(ControllerTest, ATrialThatIsToRestAtItsLastStepIsComplete) {
  begin("", kHalving);
  ask("a");
  ask("b");
  ASSERT_EQ(report(0, 10, 1.0).verdict, Verdict::kContinue);
  ASSERT_EQ(report(1, 10, 2.0).verdict, Verdict::kPause);
  complete(1, 2.0);
  EXPECT_EQ(stored(1).state, TrialState::kComplete);
  EXPECT_FALSE(stored(1).system_attributes.contains(kPaused));
}

TEST_F(ControllerTest, ABudgetOfTrialsCountsWhatWasBegun) {
  begin("budget: {trials: 2}\n");
  ask("a");
  ask("b");
  EXPECT_EQ(ask("c"), -1);
  EXPECT_EQ(over(), "") << "one of them may yet be lost";
  complete(0, 1);
  controller_->tell(1, {TrialState::kFail, {}, "diverged"});
  EXPECT_THAT(over(), HasSubstr("2 trials"));
  EXPECT_TRUE(controller_->finished());
  restart();
  EXPECT_EQ(ask("d"), -1) << "also after a restart";
}

TEST_F(ControllerTest, ABudgetOfHoursIsSharedByWhatRuns) {
  begin("budget: {core_hours: 4}\ncontroller: {lease: 10h}\n");
  Worker worker;
  worker.cores = 2;
  ask("a", worker);
  ask("b", worker);
  now_ += 1800;  // 2 core-hours of the 4 are spent, and 4 cores need another half hour for the rest
  EXPECT_NEAR(report(0, 10, 1.0).allowance, 1800, 1e-6);
  complete(1, 1.0);
  EXPECT_NEAR(report(0, 20, 1.0).allowance, 3600, 1e-6) << "two cores alone need an hour";
  now_ += 3600;
  const Answer last = report(0, 30, 1.0);
  EXPECT_EQ(last.verdict, Verdict::kPause);
  EXPECT_THAT(last.reason, HasSubstr("4 core-hours"));
  EXPECT_EQ(ask("c"), -1);
  controller_->tell(0, {TrialState::kPruned, {}, ""});
  controller_->look_around();
  EXPECT_EQ(stored(0).state, TrialState::kPruned) << "it is not left running for ever";
  EXPECT_THAT(reason(0), HasSubstr("4 core-hours"));
}

TEST_F(ControllerTest, HoursThatWereSpentAreKnownAfterARestart) {
  begin("budget: {core_hours: 4}\n");
  Worker worker;
  worker.cores = 4;
  ask("a", worker);
  now_ += 1800;
  complete(0, 1.0);
  restart();
  controller_->view([](const View& view) { EXPECT_NEAR(view.spent.core_hours, 2, 1e-9); });
}

TEST_F(ControllerTest, StintsOfALaunchedTrialAreThoseOfItsJob) {
  begin("budget: {cost: 10}\n");
  Worker worker;
  worker.launched = true;
  worker.price = 4;
  ask("a", worker);
  EXPECT_NEAR(controller_->report(0, {}).allowance, 9000, 1e-6) << "it may hear no more, and nobody of its start";
  now_ += 86400;  // it waited in a queue
  controller_->look_around();
  controller_->view([](const View& view) { EXPECT_EQ(view.spent.cost, 0); });
  controller_->note_stints(0, {{worker, now_ - 7200, now_ - 3600, false}, {worker, now_ - 1800, now_, true}});
  controller_->view([](const View& view) { EXPECT_NEAR(view.spent.cost, 6, 1e-9); });
  EXPECT_NEAR(controller_->report(0, {}).allowance, 3600, 1e-6);
}

TEST_F(ControllerTest, AFullDiskLosesNothingAndCountsNothingTwice) {
  begin();
  ask("a");
  disk_.full = true;
  try {
    report(0, 10, 3.0);
    FAIL() << "nobody may be told that it is stored";
  } catch (const Refusal& refusal) {
    EXPECT_EQ(refusal.status(), 503);
    EXPECT_THAT(refusal.what(), HasSubstr("full"));
  }
  EXPECT_THROW(ask("b"), Refusal);
  disk_.full = false;
  report(0, 10, 3.0);
  EXPECT_EQ(stored(0).reports, (std::vector<Report>{{10, 3.0}}));
  EXPECT_EQ(ask("b"), 1);
  EXPECT_EQ(disk_.trials.size(), 2);
}

TEST_F(ControllerTest, WhatWasEnqueuedComesFirst) {
  begin("enqueue: [{x: 0.25}]\n");
  EXPECT_EQ(controller_->enqueue({{"x", 0.5}}, "by hand"), 1);
  EXPECT_EQ(controller_->enqueue({{"x", 0.5}}, "by hand"), 1) << "said twice";
  EXPECT_EQ(controller_->ask({}, "a")->parameters.at("x"), 0.25);
  restart();
  EXPECT_EQ(controller_->ask({}, "b")->parameters.at("x"), 0.5);
  EXPECT_EQ(ask("c"), 2) << "the sweep file's own wishes are not enqueued again";
  EXPECT_THROW(controller_->enqueue({{"y", 1}}, "another"), Refusal);
  EXPECT_THROW(controller_->enqueue({{"x", 2}}, "another"), Refusal);
}

TEST_F(ControllerTest, AWishOfOthersThatCannotBeFailsWithTheReason) {
  begin();
  Trial wish;
  wish.state = TrialState::kWaiting;
  wish.system_attributes[kFixed] = {{"x", 3}};
  disk_.add(wish);
  disk_.written_by_others = true;
  EXPECT_EQ(ask("a"), 1);
  EXPECT_EQ(stored(0).state, TrialState::kFail);
  EXPECT_THAT(reason(0), HasSubstr("3 is no value of 'x'"));
}

TEST_F(ControllerTest, TrialsOfOthersAreSeenAndLeftAlone) {
  begin("controller: {lease: 60s}\n");
  ask("a");
  disk_.add({});  // a Python worker's, running
  disk_.written_by_others = true;
  now_ += 30;
  EXPECT_EQ(ask("b"), 2);
  EXPECT_THROW(report(1, 10, 1.0), Refusal);
  disk_.trials[1].state = TrialState::kComplete;
  disk_.trials[1].values = {0.1};
  disk_.written_by_others = true;
  controller_->look_around();
  controller_->view([](const View& view) { EXPECT_EQ(view.best, std::vector<std::int64_t>{1}); });
}

TEST_F(ControllerTest, WhatWasStoppedGoesOnWithTheNextController) {
  begin();
  ask("a");
  report(0, 10, 2.0);
  controller_->stop();
  EXPECT_EQ(controller_->report(0, {}).verdict, Verdict::kPause);
  EXPECT_EQ(ask("b"), -1);
  controller_->tell(0, {TrialState::kPruned, {}, ""});
  EXPECT_EQ(stored(0).state, TrialState::kRunning) << "it is not over";
  EXPECT_TRUE(controller_->finished());
  restart();
  const auto order = controller_->ask({}, "c");
  ASSERT_TRUE(order);
  EXPECT_EQ(order->number, 0);
  EXPECT_EQ(order->resumed_at, 10);
  EXPECT_FALSE(stored(0).system_attributes.contains(kRetries)) << "it was not lost";
}

TEST_F(ControllerTest, AFailedTrialIsTriedAgainFromItsCheckpoint) {
  begin();
  ask("a");
  report(0, 10, 2.0);
  EXPECT_THROW(controller_->retry(0, "r"), Refusal);
  controller_->tell(0, {TrialState::kFail, {}, "a bad disk"});
  EXPECT_EQ(controller_->retry(0, "r"), 1);
  const auto order = controller_->ask({}, "b");
  EXPECT_EQ(order->number, 1);
  EXPECT_EQ(order->parent, 0);
  EXPECT_EQ(stored(1).parameter("x")->value, stored(0).parameter("x")->value);
}

TEST_F(ControllerTest, WhatIsNoNumberFails) {
  begin();
  ask("a");
  EXPECT_THROW(controller_->tell(0, {TrialState::kComplete, {{"another", 1.0}}, ""}), Refusal);
  complete(0, std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(stored(0).state, TrialState::kFail);
  EXPECT_THAT(reason(0), HasSubstr("not a number"));
}

TEST_F(ControllerTest, AConfigurationThatWasTriedIsNotTriedAgainWhileThereAreOthers) {
  begin("", R"(
name: study
experiment: experiment.yaml
metric: {name: loss, goal: minimize}
parameters: {x: {type: int, low: 1, high: 4}}
sampler: {kind: random, seed: 1}
)");
  std::set<double> tried;
  for (int i = 0; i < 4; ++i) {
    const auto number = ask("trial " + std::to_string(i));
    tried.insert(stored(number).parameter("x")->value);
    complete(number, 1.0);
  }
  EXPECT_EQ(tried.size(), 4);
  const auto fifth = ask("one more");
  EXPECT_TRUE(stored(fifth).user_attributes.contains("etude:duplicate_of"));
}

/// Of eight workers, each of which needs another number of rounds for a trial.
std::vector<double> values_of(Disk& disk, const SweepFile& sweep, bool restarts) {
  const auto open = [&] {
    return std::make_unique<Controller>(sweep, std::make_unique<MemoryStorage>(disk), [] { return 1.0; });
  };
  auto controller = open();
  std::vector<std::int64_t> at(8, -1);
  for (int round = 0; round < 40; ++round) {
    for (std::size_t worker = 0; worker < at.size(); ++worker) {
      if (static_cast<std::size_t>(round) % (worker + 1) != 0) continue;
      if (at[worker] >= 0) {
        const double x = disk.trials[static_cast<std::size_t>(at[worker])].parameter("x")->value;
        controller->tell(at[worker], {TrialState::kComplete, {{"loss", (x - 0.3) * (x - 0.3)}}, ""});
      }
      at[worker] = controller->ask({}, std::to_string(round) + " " + std::to_string(worker))->number;
    }
    if (restarts) {
      controller.reset();
      controller = open();
    }
  }
  controller.reset();
  std::vector<double> values;
  for (const Trial& trial : disk.trials) values.push_back(trial.parameter("x")->value);
  return values;
}

TEST_F(ControllerTest, TheSameOrderOfResultsGivesTheSameSuggestionsAlsoWithManyWorkersAndRestarts) {
  sweep_ = load_sweep_text(R"(
name: study
experiment: experiment.yaml
metric: {name: loss, goal: minimize}
parameters: {x: {type: float, low: 0, high: 1}}
sampler: {kind: tpe, seed: 3}
)",
                           "sweep.yaml");
  Disk a, b, c;
  const auto first = values_of(a, *sweep_, false);
  EXPECT_EQ(first, values_of(b, *sweep_, false));
  EXPECT_EQ(first, values_of(c, *sweep_, true));
  EXPECT_GT(std::set<double>(first.begin(), first.end()).size(), 90);
}

}  // namespace
}  // namespace etude::sweep
