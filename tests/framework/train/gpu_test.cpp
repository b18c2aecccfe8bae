// Training on a GPU, where there is one, beside the same on the CPU.
#include "tests/support/gpu.h"

#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "framework/comm/single_process.h"
#include "framework/device/device.h"
#include "framework/train/grain_runner.h"
#include "framework/train/updater.h"
#include "models/gpt2.h"
#include "tests/models/support.h"

namespace etude::train {
namespace {

constexpr std::int64_t kVocabulary = 97, kTime = 64, kRows = 2, kGrains = 3;

data::StepData random_step(std::int64_t step) {
  data::StepData made;
  made.step = step;
  for (std::int64_t grain = 0; grain < kGrains; ++grain) {
    const at::Tensor tokens =
        etude::testing::random_tokens({kRows, kTime + 1}, kVocabulary, static_cast<std::uint64_t>(100 * step + grain));
    const auto numbers = [](const at::Tensor& part) {
      const at::Tensor flat = part.contiguous();
      return std::vector<std::int64_t>(flat.const_data_ptr<std::int64_t>(),
                                       flat.const_data_ptr<std::int64_t>() + flat.numel());
    };
    data::TokenGrid grid;
    grid.rows = kRows;
    grid.columns = kTime;
    grid.inputs = numbers(tokens.narrow(1, 0, kTime));
    grid.targets = numbers(tokens.narrow(1, 1, kTime));
    grid.counted = kRows * kTime;
    made.counted += grid.counted;
    made.grains.push_back(std::move(grid));
  }
  return made;
}

struct Trained {
  std::vector<StepOutcome> outcomes;
  models::NamedTensors weights;  ///< on the CPU
};

Trained train(const at::Device& device, Precision precision, double dropout, std::int64_t steps,
              parallel::Reduction reduction) {
  comm::SingleProcess alone;
  parallel::WorkerPool workers(1);
  TrainOptions options;
  options.precision = precision;
  models::Gpt2 model({.layers = 2, .width = 64, .heads = 4, .dropout = dropout}, kVocabulary, kTime, 1);
  models::move_to(model, device);
  const auto optimizer = make_optimizer(model.parameters(), options, workers);
  if (precision == Precision::kBfloat16) models::set_matrix_dtype(model, at::kBFloat16);
  std::vector<std::int64_t> sizes;
  for (const models::Parameter& parameter : model.parameters()) sizes.push_back(parameter.value.numel());
  parallel::GradientReducer reducer(alone, sizes, kGrains, {reduction, 1 << 16, device});
  GrainRunner runner(model, workers, reducer);
  const auto updater =
      device.is_cpu() ? make_updater(*optimizer, alone, workers, 1.0) : make_late_updater(*optimizer, alone, 1.0);

  Trained trained;
  for (std::int64_t step = 0; step < steps; ++step) {
    const data::StepData batch = random_step(step);
    reducer.begin();
    StepFacts own;
    std::int64_t grain = 0;
    for (const GrainResult& result : runner.run(batch, 1, 0.0)) own.count(grain++, result);
    const auto& gradients = reducer.finish();
    for (auto& outcome : updater->end_step({.step = step, .counted = batch.counted, .lr = 1e-3},
                                           {own, runner.late(), 0, gradients})) {
      trained.outcomes.push_back(outcome);
    }
  }
  for (auto& outcome : updater->rest()) trained.outcomes.push_back(outcome);
  for (const auto& [name, weight] : optimizer->weights()) trained.weights.emplace_back(name, weight.cpu());
  return trained;
}

const at::Device kGpu(at::kCUDA, 0);

/// Losses of each step, told late, are those of that step on the CPU.
void expect_close(const Trained& gpu, const Trained& cpu, double tolerance) {
  ASSERT_EQ(gpu.outcomes.size(), cpu.outcomes.size());
  for (std::size_t i = 0; i < cpu.outcomes.size(); ++i) {
    EXPECT_EQ(gpu.outcomes[i].step, cpu.outcomes[i].step);
    EXPECT_TRUE(gpu.outcomes[i].usable());
    EXPECT_NEAR(gpu.outcomes[i].facts.loss_sum() / cpu.outcomes[i].facts.loss_sum(), 1, tolerance) << i;
    EXPECT_NEAR(gpu.outcomes[i].norm / cpu.outcomes[i].norm, 1, 20 * tolerance) << i;
  }
}

TEST(TrainingOnAGpu, AgreesWithTheCpu) {
  ETUDE_NEEDS_GPU();
  for (const auto reduction : {parallel::Reduction::kTree, parallel::Reduction::kFast}) {
    const Trained cpu = train(at::kCPU, Precision::kFloat32, 0.0, 8, reduction);
    const Trained gpu = train(kGpu, Precision::kFloat32, 0.0, 8, reduction);
    expect_close(gpu, cpu, 1e-4);
    for (std::size_t i = 0; i < cpu.weights.size(); ++i) {
      EXPECT_LT(etude::testing::relative_error(gpu.weights[i].second, cpu.weights[i].second), 2e-2)
          << cpu.weights[i].first;
    }
  }
  expect_close(train(kGpu, Precision::kBfloat16, 0.0, 8, parallel::Reduction::kTree),
               train(at::kCPU, Precision::kFloat32, 0.0, 8, parallel::Reduction::kTree), 5e-3);
}

TEST(TrainingOnAGpu, GivesTheSameBitsAgainWhenAskedTo) {
  ETUDE_NEEDS_GPU();
  device::ask_for_repeatable_kernels();
  for (const Precision precision : {Precision::kFloat32, Precision::kBfloat16}) {
    const Trained first = train(kGpu, precision, 0.1, 8, parallel::Reduction::kTree);
    const Trained second = train(kGpu, precision, 0.1, 8, parallel::Reduction::kTree);
    for (std::size_t i = 0; i < first.weights.size(); ++i) {
      EXPECT_TRUE(first.weights[i].second.equal(second.weights[i].second)) << first.weights[i].first;
    }
  }
}

}  // namespace
}  // namespace etude::train
