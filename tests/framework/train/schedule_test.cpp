#include "framework/train/schedule.h"

#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/oracle.h"

namespace etude::train {
namespace {

constexpr std::int64_t kSteps = 50;
constexpr std::int64_t kWarmup = 10;

TrainOptions options_of(ScheduleKind kind) {
  TrainOptions options;
  options.schedule = kind;
  options.lr = 0.5;
  options.warmup = kWarmup;
  return options;
}

Schedule schedule_of(const TrainOptions& options) { return {options, kSteps, false, 0.0}; }

std::vector<double> rates(const Schedule& schedule) {
  std::vector<double> found;
  for (std::int64_t step = 0; step < kSteps; ++step) found.push_back(schedule.lr(step));
  return found;
}

/// One line of rates for each schedule. Warm-up is PyTorch's LinearLR from 1/warmup to 1; what follows it is
/// transformers', whose own warm-up starts from 0 and is left out. Then the rates after each of the metrics given, by
/// PyTorch's ReduceLROnPlateau: for less being better, and for the negative metrics and more being better.
constexpr const char* kOracle = R"(
import sys, torch, transformers as t
steps, warmup, peak = 50, 10, 0.5
def optimizer(): return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=peak)
def rates(optimizer, schedule, count):
    found = []
    for _ in range(count):
        found.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        schedule.step()
    return found
rising = optimizer()
rise = rates(rising, torch.optim.lr_scheduler.LinearLR(rising, 1 / warmup, 1.0, warmup - 1), warmup)
makers = [lambda o: t.get_cosine_schedule_with_warmup(o, warmup, steps),
          lambda o: t.get_cosine_with_min_lr_schedule_with_warmup(o, warmup, steps, min_lr=0.05),
          lambda o: t.get_linear_schedule_with_warmup(o, warmup, steps),
          lambda o: t.get_constant_schedule_with_warmup(o, warmup),
          lambda o: t.get_inverse_sqrt_schedule(o, warmup)]
for make in makers:
    o = optimizer()
    print(*[f'{rate:.17g}' for rate in rise + rates(o, make(o), steps)[warmup:]])
for mode, sign in ('min', 1), ('max', -1):
    o = optimizer()
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(o, mode, factor=0.1, patience=2, threshold=0.01,
                                                         threshold_mode='abs', min_lr=0.004, eps=0)
    for metric in sys.argv[1:]:
        plateau.step(sign * float(metric))
        print(f"{o.param_groups[0]['lr']:.17g}")
)";

/// Better, worse, better by too little, twice equal, better again, then hopeless down to the floor, nan included.
const std::vector<std::string> kMetrics{"5", "4", "4.5", "3.995", "4", "4", "3", "3.2", "nan", "3.1",
                                        "9", "9", "9",   "9",     "9", "9", "1", "2",   "2"};

/// Patience 2: the third evaluation in a row without improvement lowers the rate, as in PyTorch.
TrainOptions plateau() {
  TrainOptions options = options_of(ScheduleKind::kPlateau);
  options.warmup = 0;
  options.plateau_factor = 0.1;
  options.plateau_patience = 2;
  options.min_lr = 0.004;
  return options;
}

TEST(Schedule, IsThatOfTransformersAfterTheWarmUpOfPyTorchAndFallsAtPyTorchsPlateaus) {
  if (!etude::testing::oracle_python()) GTEST_SKIP() << "no oracle Python: script/setup --test makes one";
  TrainOptions with_floor = options_of(ScheduleKind::kCosine);
  with_floor.min_lr = 0.05;
  const std::vector<TrainOptions> ours{options_of(ScheduleKind::kCosine), with_floor, options_of(ScheduleKind::kLinear),
                                       options_of(ScheduleKind::kConstant),
                                       options_of(ScheduleKind::kInverseSquareRoot)};
  std::istringstream expected(etude::testing::run_python(kOracle, kMetrics));
  for (const TrainOptions& options : ours) {
    SCOPED_TRACE(static_cast<int>(options.schedule));
    for (const double rate : rates(schedule_of(options))) {
      double theirs = 0;
      ASSERT_TRUE(expected >> theirs);
      EXPECT_NEAR(rate, theirs, 1e-12);
    }
  }
  for (const bool more_is_better : {false, true}) {
    Schedule schedule(plateau(), kSteps, more_is_better, 0.01);
    for (std::size_t i = 0; i < kMetrics.size(); ++i) {
      const double before = schedule.lr(0);
      const bool lowered = schedule.observe(std::stod(kMetrics[i]) * (more_is_better ? -1 : 1));
      double theirs = 0;
      ASSERT_TRUE(expected >> theirs);
      EXPECT_NEAR(schedule.lr(0), theirs, 1e-15) << "evaluation " << i;
      EXPECT_TRUE(lowered || schedule.lr(0) == before) << "evaluation " << i;
    }
  }
}

TEST(Schedule, TheFirstStepMovesAndWarmUpEndsAtThePeak) {
  const Schedule schedule = schedule_of(options_of(ScheduleKind::kLinear));
  EXPECT_DOUBLE_EQ(schedule.lr(0), 0.05);
  EXPECT_DOUBLE_EQ(schedule.lr(kWarmup - 1), 0.5);
  EXPECT_DOUBLE_EQ(schedule.lr(kWarmup), 0.5);
  EXPECT_DOUBLE_EQ(schedule.lr(kWarmup + 20), 0.25);  // half of the 40 steps that are left
}

TEST(Schedule, WithoutWarmUpStartsAtThePeak) {
  for (const ScheduleKind kind : {ScheduleKind::kCosine, ScheduleKind::kLinear, ScheduleKind::kConstant,
                                  ScheduleKind::kInverseSquareRoot, ScheduleKind::kPlateau}) {
    TrainOptions options = options_of(kind);
    options.warmup = 0;
    EXPECT_DOUBLE_EQ(schedule_of(options).lr(0), 0.5);
  }
}

TEST(Schedule, NeverGoesBelowTheFloorNotEvenPastTheEnd) {
  for (const ScheduleKind kind : {ScheduleKind::kCosine, ScheduleKind::kLinear, ScheduleKind::kInverseSquareRoot}) {
    TrainOptions options = options_of(kind);
    options.min_lr = 0.2;
    const Schedule schedule = schedule_of(options);
    for (std::int64_t step = kWarmup; step < 10 * kSteps; ++step) EXPECT_GE(schedule.lr(step), 0.2 - 1e-12);
    EXPECT_NEAR(schedule.lr(100 * kSteps), 0.2, 1e-12);
  }
}

TEST(Schedule, AWarmUpLongerThanTheRunOnlyRises) {
  TrainOptions options = options_of(ScheduleKind::kCosine);
  options.warmup = 100;
  const Schedule schedule = schedule_of(options);
  for (std::int64_t step = 0; step < kSteps; ++step) {
    EXPECT_DOUBLE_EQ(schedule.lr(step), 0.5 * static_cast<double>(step + 1) / 100);
  }
}

TEST(PlateauSchedule, ByHand) {
  Schedule schedule(plateau(), kSteps, false, 0.0);
  EXPECT_FALSE(schedule.observe(2.0));
  EXPECT_FALSE(schedule.observe(2.0));                                      // equal is no improvement: 1
  EXPECT_FALSE(schedule.observe(2.5));                                      // 2
  EXPECT_TRUE(schedule.observe(std::numeric_limits<double>::quiet_NaN()));  // 3 is more than the patience
  EXPECT_DOUBLE_EQ(schedule.lr(7), 0.05);
  EXPECT_FALSE(schedule.observe(1.9));
  EXPECT_DOUBLE_EQ(schedule.lr(7), 0.05);  // it does not come up again
}

TEST(PlateauSchedule, GoesOnFromItsStateAsIfNeverStopped) {
  const std::vector<double> metrics{3, 2, 2.5, 2.5, 2.5, 2.6, 1.5, 1.6, 1.7, 1.8, 1.9};
  for (std::size_t stop = 0; stop <= metrics.size(); ++stop) {
    Schedule whole(plateau(), kSteps, false, 0.0), first(plateau(), kSteps, false, 0.0);
    for (std::size_t i = 0; i < stop; ++i) first.observe(metrics[i]);
    Schedule second(plateau(), kSteps, false, 0.0);
    second.load_state(nlohmann::json::parse(first.state().dump()));
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      const bool lowered = whole.observe(metrics[i]);
      if (i < stop) continue;
      EXPECT_EQ(second.observe(metrics[i]), lowered);
      EXPECT_EQ(second.lr(0), whole.lr(0));
    }
  }
}

TEST(Schedule, OthersDoNotListenToEvaluations) {
  Schedule schedule = schedule_of(options_of(ScheduleKind::kCosine));
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(schedule.observe(1.0));
  EXPECT_DOUBLE_EQ(schedule.lr(kWarmup), 0.5);
}

}  // namespace
}  // namespace etude::train
