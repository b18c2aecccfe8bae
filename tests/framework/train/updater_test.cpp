// The end of a step, with its outcome known at once and a step late. The late one is for GPUs; here it runs on the CPU.
#include "framework/train/updater.h"

#include <csignal>
#include <limits>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "framework/comm/single_process.h"
#include "tests/models/support.h"
#include "tests/support/thread_ranks.h"

namespace etude::train {
namespace {

using etude::testing::random_normal;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

std::vector<models::Parameter> parameters() {
  std::vector<models::Parameter> made{{"matrix", random_normal({7, 5}, 1), true},
                                      {"bias", random_normal({5}, 2), false}};
  for (models::Parameter& parameter : made) parameter.value.requires_grad_(true);
  return made;
}

/// Gradients of a step, flat, some of a norm to be clipped.
std::vector<at::Tensor> gradients_of(std::int64_t step) {
  return {random_normal({35}, 100 + 2 * step, step % 2 == 0 ? 1.0 : 0.01),
          random_normal({5}, 101 + 2 * step, step % 2 == 0 ? 1.0 : 0.01)};
}

StepFacts facts_of(const at::Tensor& losses, std::int64_t first_grain) {
  StepFacts facts;
  for (std::int64_t i = 0; i < losses.numel(); ++i) {
    const float loss = losses[i].item<float>();
    facts.count(first_grain + i, {loss, std::isfinite(loss)});
  }
  return facts;
}

/// What a step does to two parameters of one value each when one of them learns apart: SGD without momentum and decay
/// takes lr * gradient, clipped. By torch.nn.utils.clip_grad_norm_ a norm of n above the limit c scales by c / (n +
/// 1e-6).
TEST(Updater, WhatLearnsApartIsClippedByItselfAndSlowsNobody) {
  for (const bool late : {false, true}) {
    comm::SingleProcess alone;
    parallel::WorkerPool workers(1);
    TrainOptions options;
    options.optimizer = OptimizerKind::kSgd;
    options.momentum = options.weight_decay = 0;
    std::vector<models::Parameter> learned{
        {.name = "most", .value = at::zeros({2}).requires_grad_(true)},
        {.name = "apart", .value = at::zeros({2}).requires_grad_(true), .apart = true}};
    const auto optimizer = make_optimizer(learned, options, workers);
    const auto updater =
        late ? make_late_updater(*optimizer, alone, 1.0) : make_updater(*optimizer, alone, workers, 1.0);
    const auto step = [&](std::vector<float> most, std::vector<float> apart) {
      const std::vector<at::Tensor> gradients{at::tensor(most), at::tensor(apart)};
      for (models::Parameter& parameter : learned) parameter.value.detach().zero_();
      auto told = updater->end_step({.lr = 1.0}, {{}, {at::ones({1}), {}}, 0, gradients});
      for (const StepOutcome& outcome : updater->rest()) told.push_back(outcome);
      return told.at(0);
    };
    const auto value = [&](std::size_t parameter, std::int64_t i) {
      return learned[parameter].value.detach()[i].item<float>();
    };
    // A norm of 5 in what learns apart leaves the others, of norm 0.5, as they are; it is scaled to 1 itself.
    EXPECT_NEAR(step({0.3f, 0.4f}, {3, 4}).norm, 0.5, 1e-6);
    EXPECT_FLOAT_EQ(value(0, 0), -0.3f);
    EXPECT_FLOAT_EQ(value(0, 1), -0.4f);
    EXPECT_NEAR(value(1, 0), -0.6f, 1e-6);
    EXPECT_NEAR(value(1, 1), -0.8f, 1e-6);
    // And the other way round.
    const StepOutcome outcome = step({30, 40}, {0.3f, 0.4f});
    EXPECT_NEAR(outcome.norm, 50, 1e-5);
    EXPECT_NEAR(outcome.norm_apart, 0.5, 1e-6);
    EXPECT_NEAR(value(0, 0), -0.6f, 1e-6);
    EXPECT_FLOAT_EQ(value(1, 0), -0.3f);
    // A norm that is no number is one wherever it is.
    EXPECT_FALSE(step({0.3f, 0.4f}, {kNaN, 0}).usable());
    EXPECT_EQ(value(0, 0), 0.0f);
  }
}

TEST(LateUpdater, SumsWhatFormingMemoriesCostAsThePromptOne) {
  for (const bool late : {false, true}) {
    testing::ThreadWorld(2).run([&](comm::Communicator& communicator) {
      parallel::WorkerPool workers(1);
      std::vector<models::Parameter> learned = parameters();
      const auto optimizer = make_optimizer(learned, {}, workers);
      const auto updater = late ? make_late_updater(*optimizer, communicator, 0.5)
                                : make_updater(*optimizer, communicator, workers, 0.5);
      // Rank 0 has losses 1 and 2 and pays 0.25 and 0.5 for memories; rank 1 likewise, but one of its four is no
      // number.
      const bool second = communicator.rank() == 1;
      const std::vector<float> memory{0.25f, second ? kNaN : 0.5f};
      StepFacts own;
      for (std::size_t i = 0; i < 2 && !late; ++i) {
        own.count(static_cast<std::int64_t>(i) + (second ? 2 : 0),
                  {1.0f + static_cast<float>(i), std::isfinite(memory[i]), memory[i]});
      }
      const std::vector<at::Tensor> gradients = gradients_of(1);
      auto told =
          updater->end_step({}, {own, {at::tensor({1.0f, 2.0f}), at::tensor(memory)}, second ? 2 : 0, gradients});
      for (const auto& outcome : updater->rest()) told.push_back(outcome);
      EXPECT_EQ(told.at(0).facts.loss_sum(), 4.0);
      EXPECT_EQ(told.at(0).facts.memory_loss_sum(), 1.0);
      EXPECT_GT(told.at(0).facts.memory_grains, 0);
      EXPECT_EQ(told.at(0).facts.bad_grains, 1);
      EXPECT_EQ(told.at(0).facts.first_bad_grain, 3);
    });
  }
}

/// Weights and an updater for them.
struct Bench {
  Bench(OptimizerKind kind, Precision precision, bool late, comm::Communicator& communicator) : workers(1) {
    TrainOptions options;
    options.optimizer = kind;
    options.precision = precision;
    options.weight_decay = 0.3;
    learned = parameters();
    optimizer = make_optimizer(learned, options, workers);
    if (precision == Precision::kBfloat16) learned[0].value.set_data(learned[0].value.detach().to(at::kBFloat16));
    updater =
        late ? make_late_updater(*optimizer, communicator, 0.5) : make_updater(*optimizer, communicator, workers, 0.5);
  }

  std::vector<StepOutcome> end_step(std::int64_t step, const at::Tensor& losses, std::int64_t first_grain = 0,
                                    StepFacts own = {}) {
    const StepFacts counted = facts_of(losses, first_grain);
    own.loss = counted.loss;
    own.bad_grains = counted.bad_grains;
    own.first_bad_grain = counted.first_bad_grain;
    gradients = gradients_of(step);
    if (bad_gradient) gradients[1][3] = std::numeric_limits<float>::infinity();
    return updater->end_step({.step = step, .counted = 10 + step, .lr = 0.01 * static_cast<double>(1 + step % 3)},
                             {own, {losses, {}}, first_grain, gradients});
  }

  parallel::WorkerPool workers;
  std::vector<models::Parameter> learned;
  std::unique_ptr<Optimizer> optimizer;
  std::unique_ptr<Updater> updater;
  std::vector<at::Tensor> gradients;
  bool bad_gradient = false;
};

void expect_same(const StepOutcome& late, const StepOutcome& prompt) {
  EXPECT_EQ(late.step, prompt.step);
  EXPECT_EQ(late.counted, prompt.counted);
  EXPECT_EQ(late.lr, prompt.lr);
  EXPECT_EQ(late.facts.loss, prompt.facts.loss);
  EXPECT_EQ(late.facts.bad_grains, prompt.facts.bad_grains);
  EXPECT_EQ(late.facts.first_bad_grain, prompt.facts.first_bad_grain);
  EXPECT_EQ(late.facts.signal, prompt.facts.signal);
  EXPECT_EQ(late.facts.out_of_time, prompt.facts.out_of_time);
  if (std::isfinite(prompt.norm)) {
    EXPECT_NEAR(late.norm, prompt.norm, 1e-6 * prompt.norm);
  } else {
    EXPECT_FALSE(std::isfinite(late.norm));
  }
}

TEST(LateUpdater, TakesTheStepsOfThePromptOneAndTellsOfEachOneStepLater) {
  for (const OptimizerKind kind : {OptimizerKind::kAdamW, OptimizerKind::kSgd}) {
    for (const Precision precision : {Precision::kFloat32, Precision::kBfloat16}) {
      comm::SingleProcess alone;
      Bench prompt(kind, precision, false, alone), late(kind, precision, true, alone);
      std::vector<StepOutcome> expected, told;
      for (std::int64_t step = 0; step < 9; ++step) {
        at::Tensor losses = at::arange(3, at::kFloat) + static_cast<double>(step) / 8;
        if (step == 3) losses[1] = kNaN;                      // a bad loss,
        prompt.bad_gradient = late.bad_gradient = step == 6;  // and a bad gradient with losses that are good
        for (const auto& outcome : prompt.end_step(step, losses)) expected.push_back(outcome);
        const std::vector<StepOutcome> known = late.end_step(step, losses);
        ASSERT_EQ(known.size(), step == 0 ? 0U : 1U);
        told.insert(told.end(), known.begin(), known.end());
      }
      for (const auto& outcome : late.updater->rest()) told.push_back(outcome);
      EXPECT_TRUE(late.updater->rest().empty());

      ASSERT_EQ(told.size(), 9U);
      for (std::size_t i = 0; i < told.size(); ++i) {
        expect_same(told[i], expected[i]);
        EXPECT_EQ(told[i].usable(), i != 3 && i != 6);
      }
      const auto theirs = prompt.optimizer->weights(), ours = late.optimizer->weights();
      for (std::size_t i = 0; i < ours.size(); ++i) {
        EXPECT_TRUE(at::allclose(ours[i].second, theirs[i].second, 1e-5, 1e-6)) << ours[i].first;
      }
      // Bad steps count nowhere: a checkpoint of either is one of seven updates.
      EXPECT_EQ(late.optimizer->state()[0].second.item<std::int64_t>(), 7);
      EXPECT_EQ(prompt.optimizer->state()[0].second.item<std::int64_t>(), 7);
      EXPECT_TRUE(late.learned[0]
                      .value.to(at::kFloat)
                      .equal(precision == Precision::kBfloat16 ? ours[0].second.to(at::kBFloat16).to(at::kFloat)
                                                               : ours[0].second));
    }
  }
}

TEST(LateUpdater, GoesOnFromACheckpoint) {
  comm::SingleProcess alone;
  const at::Tensor losses = at::ones({2});
  Bench whole(OptimizerKind::kAdamW, Precision::kFloat32, true, alone);
  for (std::int64_t step = 0; step < 6; ++step) whole.end_step(step, losses);

  Bench first(OptimizerKind::kAdamW, Precision::kFloat32, true, alone),
      second(OptimizerKind::kAdamW, Precision::kFloat32, true, alone);
  for (std::int64_t step = 0; step < 3; ++step) first.end_step(step, losses);
  second.end_step(0, losses);  // has counted before it is told of another count
  second.optimizer->load_weights(first.optimizer->weights(), "the first");
  second.optimizer->load_state(first.optimizer->state(), "the first");
  for (std::int64_t step = 3; step < 6; ++step) second.end_step(step, losses);
  for (std::size_t i = 0; i < whole.learned.size(); ++i) {
    EXPECT_TRUE(second.learned[i].value.equal(whole.learned[i].value)) << whole.learned[i].name;
  }
}

TEST(LateUpdater, RanksAgreeAsWithThePromptOne) {
  for (const bool late : {false, true}) {
    testing::ThreadWorld(2).run([&](comm::Communicator& communicator) {
      Bench bench(OptimizerKind::kSgd, Precision::kFloat32, late, communicator);
      const bool second = communicator.rank() == 1;
      const at::Tensor losses = second ? at::tensor({4.0f, kNaN}) : at::tensor({1.0f, 2.0f});
      StepFacts own;
      if (second) own.signal = SIGUSR1;
      own.out_of_time = !second;
      std::vector<StepOutcome> told = bench.end_step(0, losses, communicator.rank() * 2, own);
      for (const auto& outcome : bench.updater->rest()) told.push_back(outcome);
      ASSERT_EQ(told.size(), 1U);
      EXPECT_EQ(told[0].facts.loss_sum(), 7.0);
      EXPECT_EQ(told[0].facts.bad_grains, 1);
      EXPECT_EQ(told[0].facts.first_bad_grain, 3);
      EXPECT_EQ(told[0].facts.signal, SIGUSR1);
      EXPECT_TRUE(told[0].facts.out_of_time);
      EXPECT_TRUE(bench.learned[0].value.equal(parameters()[0].value));
    });
  }
}

}  // namespace
}  // namespace etude::train
