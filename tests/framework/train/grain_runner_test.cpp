#include "framework/train/grain_runner.h"

#include <atomic>
#include <cmath>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "framework/comm/single_process.h"
#include "models/gpt2.h"
#include "tests/framework/train/toy_model.h"
#include "tests/models/support.h"
#include "tests/support/thread_ranks.h"

namespace etude::train {
namespace {

using etude::testing::ToyModel;
using Rows = std::vector<std::vector<std::int64_t>>;

/// Rows of equal length side by side; a row's targets are its tokens shifted, the last is nothing to learn.
data::TokenGrid grid(const Rows& inputs, const Rows& targets) {
  data::TokenGrid made;
  made.rows = std::ssize(inputs);
  made.columns = std::ssize(inputs.front());
  for (std::size_t row = 0; row < inputs.size(); ++row) {
    made.inputs.insert(made.inputs.end(), inputs[row].begin(), inputs[row].end());
    made.targets.insert(made.targets.end(), targets[row].begin(), targets[row].end());
  }
  for (const std::int64_t target : made.targets) made.counted += target != data::kIgnored ? 1 : 0;
  return made;
}

data::StepData step_of(std::vector<data::TokenGrid> grains) {
  data::StepData made;
  made.step = 5;
  made.grains = std::move(grains);
  for (const data::TokenGrid& grain : made.grains) made.counted += grain.counted;
  return made;
}

/// What a step leaves: results of the grains, sums of the gradients.
struct Outcome {
  std::vector<GrainResult> results;
  std::vector<at::Tensor> gradients;
};

Outcome run(models::Model& model, const data::StepData& step, int threads, std::uint64_t seed = 1) {
  comm::SingleProcess alone;
  parallel::WorkerPool workers(threads);
  std::vector<std::int64_t> sizes;
  for (const models::Parameter& parameter : model.parameters()) sizes.push_back(parameter.value.numel());
  parallel::GradientReducer reducer(alone, sizes, std::ssize(step.grains), {});
  GrainRunner runner(model, workers, reducer);
  reducer.begin();
  Outcome outcome{runner.run(step, seed, 0.0), {}};
  for (const at::Tensor& gradient : reducer.finish()) outcome.gradients.push_back(gradient.clone());
  return outcome;
}

std::vector<float> values(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), tensor.const_data_ptr<float>() + tensor.numel()};
}

TEST(GrainRunner, GivesTheGradientsWorkedOutByHand) {
  // Four targets count, so gradients are divided by 4. Token 7 stands in the second grain alone: elsewhere `extra` is
  // not used, and its gradient is nothing.
  const data::StepData step =
      step_of({grid({{1, 2}}, {{3, data::kIgnored}}), grid({{7, 1}}, {{2, 5}}), grid({{4, 4}}, {{1, data::kIgnored}})});
  for (const int threads : {1, 3}) {
    ToyModel model;
    const Outcome outcome = run(model, step, threads);
    // Token 1 with target 3 and with target 5, token 7 with target 2, token 4 with target 1.
    EXPECT_EQ(values(outcome.gradients[0]), (std::vector<float>{0, 2, 0, 0, 0.25f, 0, 0, 0.5f, 0, 0}));
    EXPECT_EQ(values(outcome.gradients[1]), (std::vector<float>{(7 * 2 + 1 * 5) / 4.0f}));
    // weight[t] = 1 + t / 2, extra = 1/4; losses are not divided.
    EXPECT_EQ(outcome.results[0].loss, 1.5f * 3);
    EXPECT_EQ(outcome.results[1].loss, 4.5f * 2 + 1.5f * 5 + 0.25f * (7 * 2 + 1 * 5));
    EXPECT_EQ(outcome.results[2].loss, 3.0f);
    for (const GrainResult& result : outcome.results) EXPECT_TRUE(result.finite);
  }
}

TEST(GrainRunner, DoesNotAccumulateFromStepToStep) {
  ToyModel model;
  comm::SingleProcess alone;
  parallel::WorkerPool workers(2);
  parallel::GradientReducer reducer(alone, {ToyModel::kVocabulary, 1}, 2, {});
  GrainRunner runner(model, workers, reducer);
  for (int repeat = 0; repeat < 3; ++repeat) {
    reducer.begin();
    runner.run(step_of({grid({{7}}, {{2}}), grid({{2}}, {{2}})}), 1, 0.0);
    const auto& gradients = reducer.finish();
    EXPECT_EQ(values(gradients[0])[7], 1.0f);
    EXPECT_EQ(values(gradients[0])[2], 1.0f);
    EXPECT_EQ(values(gradients[1])[0], 7.0f);
    EXPECT_FALSE(model.parameters()[0].value.grad().defined());
  }
}

TEST(GrainRunner, AGrainThatIsNotFiniteIsFlaggedAlone) {
  for (const std::int64_t bad : {ToyModel::kNotANumber, ToyModel::kInfiniteGradient}) {
    for (const int threads : {1, 3}) {
      ToyModel model;
      std::vector<data::TokenGrid> grains(6, grid({{1}}, {{1}}));
      grains[4] = grid({{bad}}, {{1}});
      const Outcome outcome = run(model, step_of(grains), threads);
      for (std::size_t i = 0; i < grains.size(); ++i) EXPECT_EQ(outcome.results[i].finite, i != 4) << bad << ", " << i;
      EXPECT_EQ(std::isfinite(outcome.results[4].loss), bad == ToyModel::kInfiniteGradient);
    }
  }
}

TEST(GrainRunner, TheNextStepAfterABadOneIsCleanAgain) {
  ToyModel model;
  comm::SingleProcess alone;
  parallel::WorkerPool workers(1);
  parallel::GradientReducer reducer(alone, {ToyModel::kVocabulary, 1}, 1, {});
  GrainRunner runner(model, workers, reducer);
  reducer.begin();
  EXPECT_FALSE(runner.run(step_of({grid({{ToyModel::kNotANumber}}, {{1}})}), 1, 0.0)[0].finite);
  reducer.finish();
  reducer.begin();
  EXPECT_TRUE(runner.run(step_of({grid({{3}}, {{1}})}), 1, 0.0)[0].finite);
  EXPECT_EQ(values(reducer.finish()[0]), (std::vector<float>{0, 0, 0, 1, 0, 0, 0, 0, 0, 0}));
}

TEST(GrainRunner, LooksAtAGrainAloneWithoutTouchingGradients) {
  ToyModel model;
  comm::SingleProcess alone;
  parallel::WorkerPool workers(1);
  parallel::GradientReducer reducer(alone, {ToyModel::kVocabulary, 1}, 1, {});
  const GrainRunner runner(model, workers, reducer);
  EXPECT_EQ(runner.loss_alone(grid({{2, 3}}, {{1, data::kIgnored}})), 2.0f);
  EXPECT_TRUE(std::isnan(runner.loss_alone(grid({{ToyModel::kNotANumber}}, {{1}}))));
  EXPECT_FALSE(model.parameters()[0].value.grad().defined());
}

TEST(GrainRunner, LeavesTheModelUsableAfterItsEnd) {
  ToyModel model;
  run(model, step_of({grid({{1}}, {{1}})}), 2);
  models::Memory memory;
  const at::Tensor tokens = at::full({1, 1}, 2, at::kLong);
  model.loss_sum(model.hidden(tokens, memory, nullptr), tokens, 0).backward();
  EXPECT_EQ(model.parameters()[0].value.grad()[2].item<float>(), 2.0f);
}

/// Eight grains of random tokens for a small GPT-2 with dropout.
data::StepData random_step() {
  std::vector<data::TokenGrid> grains;
  for (std::uint64_t grain = 0; grain < 8; ++grain) {
    const at::Tensor tokens = etude::testing::random_tokens({2, 17}, 40, grain);
    Rows inputs, targets;
    for (std::int64_t row = 0; row < 2; ++row) {
      const std::int64_t* begin = tokens.const_data_ptr<std::int64_t>() + row * 17;
      inputs.emplace_back(begin, begin + 16);
      targets.emplace_back(begin + 1, begin + 17);
    }
    grains.push_back(grid(inputs, targets));
  }
  return step_of(std::move(grains));
}

models::Gpt2 small_gpt2() { return {{.layers = 2, .width = 24, .heads = 2, .dropout = 0.2}, 40, 16, 3}; }

TEST(GrainRunner, TheSameBitsOnAnyNumberOfWorkersAndRanks) {
  const data::StepData step = random_step();
  models::Gpt2 model = small_gpt2();
  const Outcome one = run(model, step, 1), three = run(model, step, 3);
  for (std::size_t i = 0; i < step.grains.size(); ++i) EXPECT_EQ(one.results[i].loss, three.results[i].loss);
  for (std::size_t i = 0; i < one.gradients.size(); ++i) EXPECT_TRUE(one.gradients[i].equal(three.gradients[i])) << i;

  std::atomic<int> differing = 0;
  testing::ThreadWorld(2).run([&](comm::Communicator& communicator) {
    models::Gpt2 mine = small_gpt2();
    parallel::WorkerPool workers(2);
    std::vector<std::int64_t> sizes;
    for (const auto& parameter : mine.parameters()) sizes.push_back(parameter.value.numel());
    parallel::GradientReducer reducer(communicator, sizes, 8, {});
    GrainRunner runner(mine, workers, reducer);
    data::StepData part = step;
    part.first_grain = communicator.rank() * 4;
    part.grains.assign(step.grains.begin() + part.first_grain, step.grains.begin() + part.first_grain + 4);
    reducer.begin();
    runner.run(part, 1, 0.0);
    const auto& gradients = reducer.finish();
    for (std::size_t i = 0; i < gradients.size(); ++i) differing += gradients[i].equal(one.gradients[i]) ? 0 : 1;
  });
  EXPECT_EQ(differing, 0);
}

TEST(GrainRunner, DropoutFollowsTheSeedTheStepAndTheGrain) {
  data::StepData step = random_step();
  step.grains[1] = step.grains[0];
  models::Gpt2 model = small_gpt2();
  const Outcome first = run(model, step, 1);
  EXPECT_NE(first.results[0].loss, first.results[1].loss);
  EXPECT_NE(run(model, step, 1, 2).results[0].loss, first.results[0].loss);
  ++step.step;
  EXPECT_NE(run(model, step, 1).results[0].loss, first.results[0].loss);
}

}  // namespace
}  // namespace etude::train
