// Training speed of one process with one thread: whole optimizer steps (forward, backward, reduction, clipping, AdamW)
// on random tokens, by the classes that `etude train` is made of. Prints one JSON line.
//   bench_train [--dropout RATE] [--precision float32|bfloat16] [--steps N]
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "data/loader/random.h"
#include "framework/comm/single_process.h"
#include "framework/train/grain_runner.h"
#include "framework/train/optimizer.h"
#include "models/registry.h"

namespace {

using namespace etude;

constexpr std::int64_t kVocabulary = 512, kTokens = 512, kBatch = 8;

data::StepData random_batch(std::int64_t step) {
  data::TokenGrid grain;
  grain.rows = kBatch;
  grain.columns = kTokens;
  grain.counted = kBatch * kTokens;
  for (std::int64_t i = 0; i < kBatch * kTokens; ++i) {
    const auto draw = [&](std::int64_t which) {
      return data::uniform(data::random_bits(1, data::Purpose::kOrder, {step, i, which}), 0, kVocabulary - 1);
    };
    grain.inputs.push_back(draw(0));
    grain.targets.push_back(draw(1));
  }
  data::StepData data;
  data.step = step;
  data.counted = grain.counted;
  data.grains.push_back(std::move(grain));
  return data;
}

}  // namespace

int main(int argc, char** argv) {
  models::ModelOptions model_options;
  model_options.gpt2 = {.layers = 6, .width = 256, .heads = 8, .dropout = 0.0};
  train::TrainOptions options;
  std::int64_t steps = 6;
  std::string precision = "float32";
  CLI::App app{"Training speed of one thread"};
  app.add_option("--dropout", model_options.gpt2.dropout);
  app.add_option("--precision", precision)->check(CLI::IsMember({"float32", "bfloat16"}));
  app.add_option("--steps", steps);
  CLI11_PARSE(app, argc, argv);
  if (precision == "bfloat16") options.precision = train::Precision::kBfloat16;

  const auto model = models::make_model(model_options, kVocabulary, kTokens, 1);
  parallel::WorkerPool workers(1);
  const auto optimizer = train::make_optimizer(model->parameters(), options, workers);
  if (options.precision == train::Precision::kBfloat16) models::set_matrix_dtype(*model, at::kBFloat16);
  std::vector<std::int64_t> sizes;
  for (const models::Parameter& parameter : model->parameters()) sizes.push_back(parameter.value.numel());
  comm::SingleProcess communicator;
  parallel::GradientReducer reducer(communicator, sizes, 1, {});
  train::GrainRunner runner(*model, workers, reducer);

  std::vector<double> seconds;
  float loss = 0;
  for (std::int64_t step = 0; step <= steps; ++step) {
    const data::StepData batch = random_batch(step);
    const auto before = std::chrono::steady_clock::now();
    reducer.begin();
    loss = runner.run(batch, 1, 0.0).front().loss;
    const auto& gradients = reducer.finish();
    const double norm = train::global_norm(gradients, workers);
    optimizer->step(gradients, options.lr, norm > 1.0 ? 1.0 / norm : 1.0);
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - before;
    if (step > 0) seconds.push_back(passed.count());  // the first step allocates
  }
  std::nth_element(seconds.begin(), seconds.begin() + std::ssize(seconds) / 2, seconds.end());
  const nlohmann::json line{{"what", "train"},
                            {"who", "etude"},
                            {"precision", precision},
                            {"dropout", model_options.gpt2.dropout},
                            {"tokens_per_second", kBatch * kTokens / seconds[seconds.size() / 2]},
                            {"loss_per_token", loss / (kBatch * kTokens)}};
  fmt::print("{}\n", line.dump());
}
