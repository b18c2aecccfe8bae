// Training speed on one GPU: a GPT-2 of 12 layers, 768 wide, 12 heads, 16 sequences of 1,024 tokens a step. One JSON
// line.
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bench/random_batch.h"
#include "framework/comm/single_process.h"
#include "framework/config/error.h"
#include "framework/device/device.h"
#include "framework/train/grain_runner.h"
#include "framework/train/updater.h"
#include "models/gpt2.h"

namespace {

using namespace etude;

constexpr std::int64_t kVocabulary = 512, kTokens = 1024, kBatch = 16;

void run(const std::string& precision, double dropout, std::int64_t steps) {
  const device::Seat seat = device::choose_seat(device::Choice::kCuda, 0, {});
  train::TrainOptions options;
  if (precision == "bfloat16") options.precision = train::Precision::kBfloat16;
  models::Gpt2 model({.layers = 12, .width = 768, .heads = 12, .dropout = dropout}, kVocabulary, kTokens, 1);
  models::move_to(model, seat.device);
  parallel::WorkerPool workers(1);
  const auto optimizer = train::make_optimizer(model.parameters(), options, workers);
  if (options.precision == train::Precision::kBfloat16) models::set_matrix_dtype(model, at::kBFloat16);
  std::vector<std::int64_t> sizes;
  for (const models::Parameter& parameter : model.parameters()) sizes.push_back(parameter.value.numel());
  comm::SingleProcess communicator;
  parallel::GradientReducer reducer(communicator, sizes, 1, {.bucket_bytes = 32 << 20, .device = seat.device});
  train::GrainRunner runner(model, workers, reducer);
  const auto updater = train::make_late_updater(*optimizer, communicator, 1.0);

  constexpr std::int64_t kWarmUp = 5;
  const std::vector<data::StepData> batches{bench::random_batch(0, kBatch, kTokens, kVocabulary),
                                            bench::random_batch(1, kBatch, kTokens, kVocabulary)};
  auto start = std::chrono::steady_clock::now();
  for (std::int64_t step = 0; step < kWarmUp + steps; ++step) {
    if (step == kWarmUp) {
      updater->rest();
      start = std::chrono::steady_clock::now();
    }
    data::StepData batch = batches[static_cast<std::size_t>(step % 2)];
    batch.step = step;
    reducer.begin();
    runner.run(batch, 1, 0.0);
    const auto& gradients = reducer.finish();
    updater->end_step({.step = step, .counted = batch.counted, .lr = 3e-4}, {{}, runner.late(), 0, gradients});
  }
  updater->rest();
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  const double pace = static_cast<double>(steps * kBatch * kTokens) / passed.count();
  nlohmann::json line{{"what", "train"},        {"who", "etude"},     {"device", seat.name},
                      {"precision", precision}, {"dropout", dropout}, {"tokens_per_second", pace}};
  if (const auto peak = device::peak_flops(seat.name)) {
    line["mfu"] = pace * model.training_flops_per_token(kTokens) / *peak;
  }
  fmt::print("{}\n", line.dump());
}

}  // namespace

int main(int argc, char** argv) {
  std::string precision = "bfloat16";
  double dropout = 0.0;
  std::int64_t steps = 50;
  CLI::App app{"Training speed of one GPU"};
  app.add_option("--dropout", dropout);
  app.add_option("--precision", precision)->check(CLI::IsMember({"float32", "bfloat16"}));
  app.add_option("--steps", steps);
  CLI11_PARSE(app, argc, argv);
  try {
    run(precision, dropout, steps);
  } catch (const Error& error) {
    fmt::print(stderr, "bench_gpu: {}\n", error.what());
    return 1;
  }
}
