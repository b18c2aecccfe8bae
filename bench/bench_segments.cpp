// Speed of one process with one thread where models hear segment after segment: whole optimizer steps (forward,
// backward, reduction, clipping, AdamW) or, with --evaluate, forward and loss, on random tokens, by the classes that
// `etude train` and `etude evaluate` are made of. Memory is full before the clock runs. Prints one JSON line.
//   bench_segments [--kind KIND] [--rows N] [--tokens N] [--memory N] [--dropout RATE] [--steps N] [--evaluate]
//                  [--precision float32|bfloat16]
#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/ATen.h>
#include <CLI/CLI.hpp>
#include <c10/core/InferenceMode.h>

#include "bench/clocks.h"
#include "bench/random_batch.h"
#include "framework/comm/single_process.h"
#include "framework/run/memory.h"
#include "framework/train/grain_runner.h"
#include "framework/train/lanes.h"
#include "framework/train/optimizer.h"
#include "models/registry.h"

namespace {

using namespace etude;

constexpr std::int64_t kVocabulary = 512;
constexpr std::int64_t kWarmUp = 2;  // allocates, and fills the memory

struct Arguments {
  models::ModelOptions model;
  std::int64_t rows = 8, tokens = 256, steps = 4;
  std::string precision = "float32";
  bool evaluate = false;
};

/// Every row goes on where it was.
data::StepData next_segments(std::int64_t step, const Arguments& arguments) {
  data::StepData data = bench::random_batch(step, arguments.rows, arguments.tokens, kVocabulary);
  data.grains[0].sequences.resize(static_cast<std::size_t>(arguments.rows));
  for (data::SequenceRef& sequence : data.grains[0].sequences) sequence.continues = step > 0;
  return data;
}

bench::Seconds time_training(models::Model& model, const Arguments& arguments) {
  train::TrainOptions options;
  parallel::WorkerPool workers(1);
  const auto optimizer = train::make_optimizer(model.parameters(), options, workers);
  if (arguments.precision == "bfloat16") models::set_matrix_dtype(model, at::kBFloat16);
  std::vector<std::int64_t> sizes;
  for (const models::Parameter& parameter : model.parameters()) sizes.push_back(parameter.value.numel());
  comm::SingleProcess communicator;
  parallel::GradientReducer reducer(communicator, sizes, 1, {});
  std::unique_ptr<train::Lanes> lanes;
  if (model.remembers()) lanes = std::make_unique<train::Lanes>(model, 1, arguments.rows, 0, 1);
  train::GrainRunner runner(model, workers, reducer, lanes.get());

  std::vector<bench::Seconds> times;
  for (std::int64_t step = 0; step < kWarmUp + arguments.steps; ++step) {
    const data::StepData batch = next_segments(step, arguments);
    const bench::Seconds before = bench::now();
    reducer.begin();
    runner.run(batch, 1, 0.0);
    const auto& gradients = reducer.finish();
    const double norm = train::gradient_norms(model.parameters(), gradients, workers).of_most;
    optimizer->step(gradients, options.lr, norm > 1.0 ? 1.0 / norm : 1.0);
    if (step >= kWarmUp) times.push_back(bench::now() - before);
  }
  return bench::median(times);
}

bench::Seconds time_evaluation(models::Model& model, const Arguments& arguments) {
  if (arguments.precision == "bfloat16") models::set_matrix_dtype(model, at::kBFloat16);
  const parallel::WorkerPool one_thread(1);  // keeps LibTorch's own threads off
  const c10::InferenceMode no_gradients;
  models::Memory memory = model.initial_memory(arguments.rows, std::nullopt);
  std::vector<bench::Seconds> times;
  for (std::int64_t step = 0; step < kWarmUp + arguments.steps; ++step) {
    const data::StepData batch = next_segments(step, arguments);
    const data::TokenGrid& grid = batch.grains[0];
    const at::Tensor tokens = at::tensor(grid.inputs).view({grid.rows, grid.columns}),
                     targets = at::tensor(grid.targets).view({grid.rows, grid.columns});
    const bench::Seconds before = bench::now();
    model.loss_sum(model.hidden(tokens, memory, nullptr), targets, 0.0).item<float>();
    if (step >= kWarmUp) times.push_back(bench::now() - before);
  }
  return bench::median(times);
}

}  // namespace

int main(int argc, char** argv) {
  run::keep_freed_memory();
  Arguments arguments;
  arguments.model.kind = "transformer_xl";
  double dropout = 0.0;
  std::int64_t remembered = -1;
  CLI::App app{"Speed of one thread, segment after segment"};
  app.add_option("--kind", arguments.model.kind);
  app.add_option("--rows", arguments.rows);
  app.add_option("--tokens", arguments.tokens);
  app.add_option("--memory", remembered);
  app.add_option("--dropout", dropout);
  app.add_option("--steps", arguments.steps);
  app.add_option("--precision", arguments.precision)->check(CLI::IsMember({"float32", "bfloat16"}));
  app.add_flag("--evaluate", arguments.evaluate);
  CLI11_PARSE(app, argc, argv);

  models::ModelOptions& options = arguments.model;
  options.gpt2 =
      options.recurrent_memory_transformer.gpt2 = {.layers = 6, .width = 256, .heads = 8, .dropout = dropout};
  options.transformer_xl = {.layers = 6, .width = 256, .heads = 8, .memory = remembered, .dropout = dropout};
  options.compressive_transformer.transformer_xl = options.transformer_xl;
  const auto model = models::make_model(options, kVocabulary, arguments.tokens, 1);
  const bench::Seconds step =
      arguments.evaluate ? time_evaluation(*model, arguments) : time_training(*model, arguments);
  const auto tokens = static_cast<double>(arguments.rows * arguments.tokens);
  bench::print({{"what", arguments.evaluate ? "segments, evaluation" : "segments, training"},
                {"who", "etude"},
                {"kind", options.kind},
                {"tokens", arguments.tokens},
                {"dropout", dropout},
                {"precision", arguments.precision},
                {"figure", tokens / step.wall},
                {"cpu_figure", tokens / step.cpu},
                {"unit", "tokens/s"}});
}
