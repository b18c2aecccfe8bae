#include <cmath>
#include <fstream>
#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/config/document.h"
#include "sweep/pruner.h"
#include "sweep/pruners/wilcoxon.h"
#include "tests/support/oracle.h"

namespace etude::sweep {
namespace {

using ::testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The pruner of a sweep file's section: "kind: median, startup_trials: 2".
std::unique_ptr<Pruner> made(const std::string& section) {
  std::vector<std::unique_ptr<Pruner>> all;
  std::string kind = "none";
  std::vector<std::pair<std::string, std::function<void(config::Section&)>>> alternatives;
  for (const PrunerKind& one : pruner_kinds()) {
    Pruner* pruner = all.emplace_back(one.make()).get();
    alternatives.emplace_back(one.name, [pruner](config::Section& keys) { pruner->describe(keys); });
  }
  config::Section root;
  root.variant("kind", kind, std::move(alternatives), "");
  config::load_text(root, "{" + section + "}", "pruner");
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (pruner_kinds()[i].name == kind) return std::move(all[i]);
  }
  throw Error("no pruner " + kind);
}

/// A study in memory, whose trials do what the pruner says.
class Study {
 public:
  explicit Study(const std::string& pruner, Direction direction = Direction::kMinimize)
      : directions_{direction}, pruner_(made(pruner)) {
    pruner_->check(directions_);
  }

  Verdict report(std::int64_t number, std::int64_t step, double value) {
    Trial& one = trial(number);
    one.set_report({step, value});
    const Verdict verdict = pruner_->judge({directions_, trials_}, one);
    if (verdict == Verdict::kPrune) one.state = TrialState::kPruned;
    if (verdict == Verdict::kPause) one.system_attributes[kPaused] = step;
    return verdict;
  }

  void end(std::int64_t number, TrialState state, std::vector<double> values = {}) {
    trial(number).state = state;
    trial(number).values = std::move(values);
  }

  std::optional<std::int64_t> promote() {
    const auto number = pruner_->promote({directions_, trials_});
    if (number) trial(*number).system_attributes.erase(kPaused);
    return number;
  }

  Trial& trial(std::int64_t number) {
    while (static_cast<std::int64_t>(trials_.size()) <= number) {
      Trial fresh;
      fresh.number = static_cast<std::int64_t>(trials_.size());
      trials_.push_back(fresh);
    }
    return trials_[static_cast<std::size_t>(number)];
  }

 private:
  std::vector<Direction> directions_;
  std::vector<Trial> trials_;
  std::unique_ptr<Pruner> pruner_;
};

// ---- the same verdicts as Optuna ----

constexpr const char* kOptuna = R"(
import json, math, sys, warnings
import optuna
from optuna.pruners import *
from optuna.trial import TrialState
warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.CRITICAL)
for line in open(sys.argv[1]):
    case = json.loads(line)
    study = optuna.create_study(direction=case["direction"], pruner=eval(case["pruner"]),
                                sampler=optuna.samplers.RandomSampler(seed=1))
    trials, verdicts = [study.ask() for _ in range(case["trials"])], []
    for number, step, value in case["events"]:
        trial = trials[number]
        if study.get_trials(deepcopy=False)[number].state.is_finished():
            verdicts.append("-")
        elif step < 0:
            study.tell(trial, value) if math.isfinite(value) else study.tell(trial, state=TrialState.FAIL)
            verdicts.append("e")
        else:
            trial.report(value, step)
            stop = trial.should_prune()
            if stop: study.tell(trial, state=TrialState.PRUNED)
            verdicts.append("p" if stop else "c")
    print("".join(verdicts))
)";

struct Event {
  std::int64_t number, step;  ///< a step below 0: the trial ends
  double value;
};

struct Case {
  std::string ours, optunas;
  Direction direction;
  std::int64_t trials;
  std::vector<Event> events;
};

/// Curves that fall, with noise, at times without a number; several trials at once, which report in any order.
std::vector<Event> random_events(std::mt19937& random, std::int64_t trials, std::int64_t first_step, bool all_steps) {
  std::uniform_real_distribution<double> uniform(0, 1);
  std::vector<std::int64_t> next(static_cast<std::size_t>(trials), first_step);
  std::vector<double> level;
  for (std::int64_t i = 0; i < trials; ++i) level.push_back(uniform(random));
  std::vector<Event> events;
  std::int64_t begun = 3;
  std::vector<std::int64_t> live{0, 1, 2};
  while (!live.empty()) {
    const std::size_t at = random() % live.size();
    const std::int64_t number = live[at];
    auto& step = next[static_cast<std::size_t>(number)];
    double value = std::round((level[static_cast<std::size_t>(number)] + 3.0 / static_cast<double>(step + 2) +
                               0.4 * uniform(random)) *
                              20) /
                   20;  // so that values are alike at times
    if (random() % 25 == 0) value = kNan;
    if (step > 16 || random() % 40 == 0) {
      events.push_back({number, -1, value});
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(at));
      if (begun < trials) live.push_back(begun++);
      continue;
    }
    events.push_back({number, step, value});
    step += all_steps ? 1 : 1 + static_cast<std::int64_t>(random() % 3);
  }
  return events;
}

std::string our_verdicts(const Case& one) {
  Study study(one.ours, one.direction);
  study.trial(one.trials - 1);
  std::string verdicts;
  for (const Event& event : one.events) {
    if (is_over(study.trial(event.number).state)) {
      verdicts += '-';
    } else if (event.step < 0) {
      const bool failed = !std::isfinite(event.value);
      study.end(event.number, failed ? TrialState::kFail : TrialState::kComplete,
                failed ? std::vector<double>{} : std::vector<double>{event.value});
      verdicts += 'e';
    } else {
      verdicts += study.report(event.number, event.step, event.value) == Verdict::kPrune ? 'p' : 'c';
    }
  }
  return verdicts;
}

TEST(Pruners, GiveOptunasVerdictsOnTheSameHistories) {
  if (!etude::testing::oracle_python()) GTEST_SKIP() << "no oracle: run script/setup --test";
  const std::string optuna = std::string(ETUDE_SOURCE_DIR) + "/.deps/oracle-optuna";
  if (!std::filesystem::exists(optuna + "/optuna")) GTEST_SKIP() << "no Optuna: run script/setup --test";
  const std::vector<std::pair<std::string, std::string>> pairs{
      {"kind: median, startup_trials: 2", "MedianPruner(2)"},
      {"kind: median, startup_trials: 0, warmup_steps: 3, interval_steps: 4", "MedianPruner(0, 3, 4)"},
      {"kind: percentile, percentile: 30, startup_trials: 3, min_trials: 4, interval_steps: 2",
       "PercentilePruner(30, 3, 0, 2, n_min_trials=4)"},
      {"kind: percentile, percentile: 100, startup_trials: 1", "PercentilePruner(100, 1)"},
      {"kind: threshold, lower: 0.3, upper: 1.9, warmup_steps: 2", "ThresholdPruner(0.3, 1.9, 2)"},
      {"kind: threshold, upper: 1.2, warmup_steps: 1, interval_steps: 3",
       "ThresholdPruner(upper=1.2, n_warmup_steps=1, interval_steps=3)"},
      {"kind: patient, patience: 2, min_delta: 0.05", "PatientPruner(None, 2, 0.05)"},
      {"kind: patient, patience: 0, wrapped: {kind: median, startup_trials: 1}", "PatientPruner(MedianPruner(1), 0)"},
      {"kind: wilcoxon, p_threshold: 0.2", "WilcoxonPruner(p_threshold=0.2)"},
      {"kind: wilcoxon, p_threshold: 0.4, startup_steps: 5", "WilcoxonPruner(p_threshold=0.4, n_startup_steps=5)"},
      {"kind: successive_halving, min_step: 1, reduction: 2, resume: false",
       "SuccessiveHalvingPruner(min_resource=1, reduction_factor=2)"},
      {"kind: successive_halving, min_step: 2, reduction: 3, resume: false",
       "SuccessiveHalvingPruner(min_resource=2, reduction_factor=3)"},
  };
  std::mt19937 random(5);
  etude::testing::TemporaryFolder folder;
  std::vector<Case> cases;
  std::ofstream file(folder.path() / "cases");
  for (const auto& [ours, optunas] : pairs) {
    for (const Direction direction : {Direction::kMinimize, Direction::kMaximize, Direction::kMinimize}) {
      const bool halving = ours.find("halving") != std::string::npos;
      Case one{ours, optunas, direction, 12, random_events(random, 12, halving ? 1 : 0, halving)};
      Json events = Json::array();
      for (const Event& event : one.events) events.push_back({event.number, event.step, event.value});
      file << dump_json({{"direction", direction == Direction::kMinimize ? "minimize" : "maximize"},
                         {"pruner", optunas},
                         {"trials", one.trials},
                         {"events", events}})
           << "\n";
      cases.push_back(std::move(one));
    }
  }
  file.close();
  std::istringstream verdicts(etude::testing::run_python(kOptuna, {(folder.path() / "cases").string()}, optuna));
  std::size_t pruned = 0;
  for (const Case& one : cases) {
    std::string expected;
    ASSERT_TRUE(std::getline(verdicts, expected));
    EXPECT_EQ(our_verdicts(one), expected) << one.optunas;
    pruned += expected.find('p') != std::string::npos;
  }
  EXPECT_GT(pruned, cases.size() * 3 / 4) << "histories in which nothing is pruned tell little";
}

TEST(Wilcoxon, GivesScipysProbabilities) {
  if (!etude::testing::oracle_python()) GTEST_SKIP() << "no oracle: run script/setup --test";
  const std::string optuna = std::string(ETUDE_SOURCE_DIR) + "/.deps/oracle-optuna";
  if (!std::filesystem::exists(optuna + "/scipy")) GTEST_SKIP() << "no SciPy: run script/setup --test";
  std::mt19937 random(3);
  std::vector<std::vector<double>> all;
  for (const int size : {2, 5, 13, 14, 30, 50, 51, 80}) {
    for (const double grain : {0.0, 0.25}) {  // with grains there are ties and zeros
      std::vector<double> differences;
      for (int i = 0; i < size; ++i) {
        const double value = std::normal_distribution<double>(0.2, 1)(random);
        differences.push_back(grain > 0 ? std::round(value / grain) * grain : value);
      }
      all.push_back(std::move(differences));
    }
  }
  std::istringstream probabilities(etude::testing::run_python(
      "import json, sys\nfrom scipy.stats import wilcoxon\n"
      "for d in json.loads(sys.argv[1]): print(wilcoxon(d, alternative='greater', zero_method='zsplit').pvalue)\n",
      {Json(all).dump()}, optuna));
  for (const auto& differences : all) {
    double expected = -1;
    probabilities >> expected;
    EXPECT_NEAR(wilcoxon_greater(differences), expected, 1e-12) << differences.size() << " values";
  }
}

// ---- trials that wait ----

TEST(SuccessiveHalving, HasTrialsWaitAndBringsBackTheBestOnceItMayGoOn) {
  Study study("kind: successive_halving, min_step: 10, reduction: 2");
  EXPECT_EQ(study.report(0, 9, 9), Verdict::kContinue);
  EXPECT_EQ(study.report(0, 10, 5), Verdict::kContinue) << "the best of one";
  EXPECT_EQ(study.report(1, 10, 7), Verdict::kPause);
  EXPECT_EQ(study.report(2, 10, 6), Verdict::kPause);
  EXPECT_EQ(study.promote(), std::nullopt) << "one of three goes on, and has";
  EXPECT_EQ(study.report(3, 10, 8), Verdict::kPause);
  EXPECT_EQ(study.promote(), 2) << "now it is two of four";
  EXPECT_EQ(study.promote(), std::nullopt);
  EXPECT_EQ(study.report(2, 15, 1), Verdict::kContinue) << "between rungs nobody is compared";
  EXPECT_EQ(study.report(2, 20, 4), Verdict::kContinue);
  EXPECT_EQ(study.report(0, 20, 4.5), Verdict::kPause) << "at the second rung it is one of two";
}

TEST(SuccessiveHalving, PromotesFromTheHighestRungFirst) {
  Study study("kind: successive_halving, min_step: 1, reduction: 2");
  // Two rungs up there are three who wait for one who gets there, below two for two.
  for (const auto& [number, value] : {std::pair(0, 1.0), {1, 0.9}, {2, 0.8}, {3, 0.7}}) {
    EXPECT_EQ(study.report(number, 1, value), Verdict::kContinue);
  }
  EXPECT_EQ(study.report(0, 2, 1), Verdict::kContinue);
  EXPECT_EQ(study.report(1, 2, 2), Verdict::kPause);
  EXPECT_EQ(study.report(2, 2, 3), Verdict::kPause);
  EXPECT_EQ(study.report(4, 1, 0.95), Verdict::kPause);
  EXPECT_EQ(study.report(5, 1, 2), Verdict::kPause);
  EXPECT_EQ(study.promote(), std::nullopt);
  EXPECT_EQ(study.report(3, 2, 4), Verdict::kPause);
  EXPECT_EQ(study.promote(), 1) << "two of four at step 2, though step 1 has someone too";
}

TEST(SuccessiveHalving, NeverBringsBackWhoHasNoNumber) {
  Study study("kind: successive_halving, min_step: 1, reduction: 2");
  EXPECT_EQ(study.report(0, 1, kNan), Verdict::kPrune);
  EXPECT_EQ(study.report(1, 1, kInfinity), Verdict::kContinue);
  EXPECT_EQ(study.promote(), std::nullopt);
}

TEST(SuccessiveHalving, LeavesTrialsAloneFromTheLastStepOn) {
  Study study("kind: successive_halving, min_step: 10, max_step: 40, reduction: 2");
  study.report(0, 10, 1);
  study.report(0, 20, 1);
  study.report(0, 40, 1);
  study.report(1, 10, 0.5);
  study.report(1, 20, 0.5);
  EXPECT_EQ(study.report(1, 40, 3), Verdict::kContinue);
}

TEST(SuccessiveHalving, CountsReportsWhereAskedTo) {
  Study study("kind: successive_halving, min_step: 2, reduction: 2, unit: report");
  study.report(0, 500, 1);
  study.report(0, 1000, 1);
  EXPECT_EQ(study.report(1, 500, 2), Verdict::kContinue);
  EXPECT_EQ(study.report(1, 1000, 2), Verdict::kPause);
}

TEST(SuccessiveHalving, MaximizesToo) {
  Study study("kind: successive_halving, min_step: 1, reduction: 2", Direction::kMaximize);
  EXPECT_EQ(study.report(0, 1, 0.5), Verdict::kContinue);
  EXPECT_EQ(study.report(1, 1, 0.4), Verdict::kPause);
  EXPECT_EQ(study.report(2, 1, 0.6), Verdict::kContinue);
}

TEST(Hyperband, SharesTrialsOutSoThatEachBracketTrainsAboutAsMuch) {
  // With 1 to 9 steps and a reduction of 3 there are brackets of 9, 5 and 3 in 17 trials (the paper's n, B = 3): in the
  // last one nobody is stopped at step 1 nor at step 3, in the second nobody at 1.
  Study study("kind: hyperband, min_step: 1, max_step: 9, reduction: 3");
  int at_1 = 0, at_3 = 0, trials = 1700;
  for (int number = 0; number < trials; ++number) {
    // Each is worse than all before, so that none but the first third goes on.
    at_1 += study.report(number, 1, number) == Verdict::kPause;
  }
  for (int number = 0; number < trials; ++number) {
    if (study.trial(number).paused()) continue;
    at_3 += study.report(number, 3, number) == Verdict::kPause;
  }
  EXPECT_NEAR(at_1, 900, 60);
  EXPECT_NEAR(at_3, 500, 60);
}

TEST(Pruners, RefuseWhatCannotBe) {
  const auto complaint = [](const std::string& section, const std::vector<Direction>& directions) -> std::string {
    try {
      made(section)->check(directions);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  const std::vector<Direction> one{Direction::kMinimize}, two{Direction::kMinimize, Direction::kMaximize};
  EXPECT_THAT(complaint("kind: median", two), HasSubstr("several objectives"));
  EXPECT_EQ(complaint("kind: none", two), "");
  EXPECT_THAT(complaint("kind: hyperband, min_step: 5", one), HasSubstr("max_step"));
  EXPECT_THAT(complaint("kind: successive_halving", one), HasSubstr("min_step"));
  EXPECT_THAT(complaint("kind: successive_halving, min_step: 5, max_step: 4", one), HasSubstr("below"));
  EXPECT_THAT(complaint("kind: threshold", one), HasSubstr("lower, upper"));
  EXPECT_THAT(complaint("kind: patient, wrapped: {kind: hyperband}", one), HasSubstr("min_step"));
}

}  // namespace
}  // namespace etude::sweep
