#include "framework/train/forecast.h"

#include <gmock/gmock.h>

#include "models/registry.h"

namespace etude::train {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

Experiment small_experiment() {
  Experiment experiment;
  experiment.data.sequence_length = 48;
  experiment.train.global_batch = 8;
  experiment.train.micro_batch = 2;
  experiment.train.steps = 7;
  return experiment;
}

Forecast forecast_of(const Experiment& experiment, std::int64_t vocabulary) {
  const auto model = models::make_model(experiment.model, vocabulary, experiment.data.sequence_length, 1);
  return forecast(experiment, *model, nullptr);
}

TEST(Forecast, CountsAGpt2AsByHand) {
  Experiment experiment = small_experiment();
  experiment.model.gpt2 = {.layers = 2, .width = 32, .heads = 2};
  const Forecast found = forecast_of(experiment, 100);

  EXPECT_EQ(found.kind, "gpt2");
  EXPECT_EQ(found.vocabulary, 100);
  EXPECT_THAT(found.parameters_of_parts,
              ElementsAre(Pair("token embedding", 100 * 32), Pair("position embedding", 48 * 32),
                          Pair("normalisation", 5 * 2 * 32),                             // two a layer and the last
                          Pair("attention", 2 * (32 * 96 + 96 + 32 * 32 + 32)),          // in and out
                          Pair("feed-forward", 2 * (32 * 128 + 128 + 128 * 32 + 32))));  // in and out
  EXPECT_EQ(found.parameters, 3200 + 1536 + 320 + 8448 + 16704);
  EXPECT_EQ(found.weights, 4 * 30208);
  EXPECT_EQ(found.gradients, 4 * 30208);
  EXPECT_EQ(found.moments, 8 * 30208);  // AdamW has two
  EXPECT_EQ(found.lanes, 0);
  EXPECT_EQ(found.remembered, 0);
  EXPECT_EQ(found.reach, 48);
  // Two operations for each multiplying weight, and queries by keys and weights by values over half of 48 keys.
  const double forward = 2 * (2 * 12 * 32 * 32 + 100 * 32) + 2 * 2 * (2 * 32 * 24);
  EXPECT_DOUBLE_EQ(found.evaluation_flops, forward);
  EXPECT_DOUBLE_EQ(found.training_flops, 3 * forward);
  EXPECT_EQ(found.tokens_per_step, 8 * 48);
  EXPECT_EQ(found.steps, 7);
  EXPECT_EQ(found.epochs, std::nullopt);  // without a pack nobody knows
}

TEST(Forecast, CountsWhatATransformerXlRemembers) {
  Experiment experiment = small_experiment();
  experiment.model.kind = "transformer_xl";
  experiment.model.transformer_xl = {.layers = 3, .width = 32, .heads = 2, .inner = 64, .memory = 24};
  const Forecast found = forecast_of(experiment, 100);

  EXPECT_EQ(found.remembered, 3 * 24);
  EXPECT_EQ(found.lanes, 8 * 3 * 24 * 32 * 4);  // lanes, layers, states, width, bytes
  EXPECT_EQ(found.reach, 3 * 24 + 48);
  // Of a layer: weights 4 * 32^2 + 2 * 32 * 64; keys and values of 24 states for each 48 tokens; content, positions and
  // values over 24 keys and half of 48.
  const double forward = 3 * 2 * (8192 + 2 * 32 * 32 * 24 / 48 + 3 * 32 * (24 + 24)) + 2 * 100 * 32;
  EXPECT_DOUBLE_EQ(found.evaluation_flops, forward);
  // Twice as much backward, but for the gradient of the memory.
  EXPECT_DOUBLE_EQ(found.training_flops, 3 * forward - 3 * 2 * (2 * 32 * 32 * 24 / 48));
}

TEST(Forecast, CountsPrecisionAndOptimizer) {
  Experiment experiment = small_experiment();
  experiment.model.gpt2 = {.layers = 2, .width = 32, .heads = 2};
  experiment.train.precision = Precision::kBfloat16;
  experiment.train.optimizer = OptimizerKind::kSgd;
  const Forecast found = forecast_of(experiment, 100);
  const std::int64_t matrices = 100 * 32 + 48 * 32 + 2 * 12 * 32 * 32;
  EXPECT_EQ(found.weights, 4 * 30208 + 2 * matrices);
  EXPECT_EQ(found.moments, 4 * 30208);
}

TEST(Forecast, KnowsNoStepsWhereEpochsDecideAndThereIsNoPack) {
  Experiment experiment = small_experiment();
  experiment.train.epochs = 2;
  EXPECT_EQ(forecast_of(experiment, 100).steps, std::nullopt);
}

}  // namespace
}  // namespace etude::train
