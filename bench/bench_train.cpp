// Training speed of one process with one thread: whole optimizer steps (forward, backward, reduction, clipping, AdamW)
// on random tokens, by the classes that `etude train` is made of. Prints one JSON line, under mpirun that of all ranks
// together.
//   bench_train [--dropout RATE] [--precision float32|bfloat16] [--steps N] [--mpi]
#include <cstdint>
#include <memory>
#include <vector>

#include <CLI/CLI.hpp>

#include "bench/clocks.h"
#include "bench/random_batch.h"
#include "framework/comm/mpi.h"
#include "framework/comm/single_process.h"
#include "framework/run/memory.h"
#include "framework/train/grain_runner.h"
#include "framework/train/optimizer.h"
#include "models/registry.h"

namespace {

using namespace etude;

constexpr std::int64_t kVocabulary = 512, kTokens = 512, kBatch = 8;

}  // namespace

int main(int argc, char** argv) {
  run::keep_freed_memory();
  models::ModelOptions model_options;
  model_options.gpt2 = {.layers = 6, .width = 256, .heads = 8, .dropout = 0.0};
  train::TrainOptions options;
  std::int64_t steps = 6;
  std::string precision = "float32";
  bool under_mpi = false;
  CLI::App app{"Training speed of one thread"};
  app.add_option("--dropout", model_options.gpt2.dropout);
  app.add_option("--precision", precision)->check(CLI::IsMember({"float32", "bfloat16"}));
  app.add_option("--steps", steps);
  app.add_flag("--mpi", under_mpi, "Sum gradients over the ranks of mpirun, a micro-batch each");
  CLI11_PARSE(app, argc, argv);
  if (precision == "bfloat16") options.precision = train::Precision::kBfloat16;

  const auto model = models::make_model(model_options, kVocabulary, kTokens, 1);
  parallel::WorkerPool workers(1);
  const auto optimizer = train::make_optimizer(model->parameters(), options, workers);
  if (options.precision == train::Precision::kBfloat16) models::set_matrix_dtype(*model, at::kBFloat16);
  std::vector<std::int64_t> sizes;
  for (const models::Parameter& parameter : model->parameters()) sizes.push_back(parameter.value.numel());
  std::unique_ptr<comm::Communicator> communicator;
  if (under_mpi) communicator = std::make_unique<comm::Mpi>();
  if (!under_mpi) communicator = std::make_unique<comm::SingleProcess>();
  const int rank = communicator->rank(), ranks = communicator->size();
  parallel::GradientReducer reducer(*communicator, sizes, ranks, {});
  train::GrainRunner runner(*model, workers, reducer);

  std::vector<bench::Seconds> times;
  float loss = 0;
  for (std::int64_t step = 0; step <= steps; ++step) {
    const data::StepData batch = bench::random_batch(step, kBatch, kTokens, kVocabulary, rank, ranks);
    const bench::Seconds before = bench::now();
    reducer.begin();
    loss = runner.run(batch, 1, 0.0).front().loss;
    const auto& gradients = reducer.finish();
    const double norm = train::gradient_norms(model->parameters(), gradients, workers).of_most;
    optimizer->step(gradients, options.lr, norm > 1.0 ? 1.0 / norm : 1.0);
    if (step > 0) times.push_back(bench::now() - before);  // the first step allocates
  }
  if (rank != 0) return 0;
  const bench::Seconds step = bench::median(times);
  const auto tokens = static_cast<double>(kBatch * kTokens * ranks);
  bench::print({{"what", ranks > 1 ? "ranks" : "train"},
                {"who", ranks > 1 ? fmt::format("etude, {} ranks", ranks) : "etude"},
                {"precision", precision},
                {"dropout", model_options.gpt2.dropout},
                {"figure", tokens / step.wall},
                {"cpu_figure", tokens / step.cpu},
                {"unit", "tokens/s"},
                {"loss_per_token", loss / (kBatch * kTokens)}});
}
