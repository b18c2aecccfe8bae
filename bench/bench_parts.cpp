// What a run spends on things other than learning, with the model and batch of bench_train: reading data, telling of a
// step, writing a checkpoint. Seconds of each, one JSON line each. Then attention, forward and backward on one thread:
// causal, and relative over a memory where a query sees as many keys on average; nanoseconds for each query and key.
//   bench_parts FOLDER    writes its log and checkpoints there; the speed of that disk is part of the figure
#include <filesystem>
#include <functional>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <CLI/CLI.hpp>

#include "bench/clocks.h"
#include "data/loader/loader.h"
#include "framework/checkpoint/store.h"
#include "framework/run/run_folder.h"
#include "framework/train/optimizer.h"
#include "framework/train/run_log.h"
#include "models/gpt2.h"
#include "models/kernels/attention.h"
#include "models/kernels/relative_attention.h"

namespace {

using namespace etude;

constexpr std::int64_t kVocabulary = 512, kTokens = 512, kBatch = 8;

void measure(const std::string& part, int repetitions, const std::function<void(int repetition)>& once) {
  std::vector<bench::Seconds> times;
  for (int i = 0; i < repetitions; ++i) {
    const bench::Seconds before = bench::now();
    once(i);
    times.push_back(bench::now() - before);
  }
  const bench::Seconds typical = bench::median(times);
  bench::print({{"what", "parts"},
                {"who", "etude"},
                {"part", part},
                {"figure", typical.wall},
                {"cpu_figure", typical.cpu},
                {"unit", "s"}});
}

/// Pieces of random length and content; the loader's work is cutting, shuffling and padding, and reading ahead.
void measure_loader() {
  std::vector<std::string> tokens{"PAD_None"};
  for (std::int64_t i = 1; i < kVocabulary; ++i) tokens.push_back(fmt::format("Token_{}", i));
  const data::Vocabulary vocabulary(std::move(tokens));
  std::vector<data::Piece> pieces(300);
  for (std::size_t i = 0; i < pieces.size(); ++i) pieces[i].tokens = 2000 + static_cast<std::int64_t>(i) * 37 % 4000;
  const auto read = [](std::int64_t piece, std::int64_t begin, std::span<data::TokenId> out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<data::TokenId>((piece + begin + static_cast<std::int64_t>(i) * 7) % kVocabulary);
    }
  };
  data::DataOptions options;
  options.sequence_length = kTokens;
  const auto plan = data::make_training_plan(pieces, vocabulary, options, kBatch, 1);
  data::Loader loader(vocabulary, read, *plan, kBatch, {0, 1}, 0);
  measure("loader", 500, [&](int) { loader.next(); });
}

void measure_log(const run::RunFolder& folder) {
  train::RunLog log(folder);
  log.begin(1'000'000, 0);
  measure("log", 500, [&](int i) {
    train::StepFigures figures;
    figures.step = i + 1;
    figures.loss = 5.43;
    figures.norm = 1.2;
    figures.tokens = 4096 * (i + 1);
    figures.tokens_per_second = 2700;
    log.step(figures);
  });
  log.end();
}

void measure_checkpoint(const run::RunFolder& folder) {
  models::Gpt2 model({.layers = 6, .width = 256, .heads = 8}, kVocabulary, kTokens, 1);
  parallel::WorkerPool workers(1);
  const auto optimizer = train::make_optimizer(model.parameters(), {}, workers);
  checkpoint::Store store(folder.checkpoints(), {.keep_last = 2, .keep_best = 0}, false);
  measure("checkpoint", 9, [&](int i) {
    store.save({.step = i + 1,
                .model = optimizer->weights(),
                .model_config = model.hugging_face_config(),
                .optimizer = optimizer->state(),
                .lanes = {},
                .state = {{"seconds", 1.0}},
                .metric = {}});
  });
}

void measure_attention() {
  constexpr std::int64_t kHeads = 8, kWidth = 256, kSegment = 256, kMemory = 256, kTime = 768;
  const auto random = [](at::IntArrayRef shape) {
    return at::empty(shape, at::kFloat)
        .normal_(0.0, 1.0, at::make_generator<at::CPUGeneratorImpl>(1))
        .requires_grad_(true);
  };
  // A query sees (time + 1) / 2 keys on average, or the memory and as many of its segment.
  const auto measure = [](const std::string& part, std::int64_t queries, double keys,
                          const std::function<at::Tensor()>& attend) {
    std::vector<bench::Seconds> times;
    for (int i = 0; i < 15; ++i) {
      const bench::Seconds before = bench::now();
      attend().sum().backward();
      times.push_back(bench::now() - before);
    }
    const bench::Seconds typical = bench::median(times);
    const double pairs = static_cast<double>(kBatch * kHeads * queries) * keys;
    bench::print({{"what", "parts"},
                  {"who", "etude"},
                  {"part", part},
                  {"figure", typical.wall / pairs * 1e9},
                  {"cpu_figure", typical.cpu / pairs * 1e9},
                  {"unit", "ns"}});
  };
  const at::Tensor long_qkv = random({kBatch, kTime, 3 * kWidth}), qkv = random({kBatch, kSegment, 3 * kWidth}),
                   memory = random({kBatch, kMemory, 2 * kWidth}), positions = random({kMemory + kSegment, kWidth}),
                   content_bias = random({kWidth}), position_bias = random({kWidth});
  measure("causal attention", kTime, (kTime + 1) / 2.0,
          [&] { return models::causal_attention(long_qkv, kHeads, 0.0, nullptr, 0); });
  const models::RelativeAttention how{.heads = kHeads, .first_key = std::vector<std::int64_t>(kBatch, 0)};
  measure("relative attention", kSegment, kMemory + (kSegment + 1) / 2.0,
          [&] { return models::relative_attention(qkv, memory, positions, content_bias, position_bias, how); });
}

}  // namespace

int main(int argc, char** argv) {
  std::filesystem::path place;
  CLI::App app{"What a run spends on things other than learning"};
  app.add_option("folder", place)->required();
  CLI11_PARSE(app, argc, argv);
  const run::RunFolder folder(place);
  folder.create();
  std::filesystem::create_directories(folder.checkpoints());
  measure_loader();
  measure_log(folder);
  measure_checkpoint(folder);
  at::set_num_threads(1);
  measure_attention();
}
