// What a run spends on things other than learning, with the model and batch of bench_train: reading data, telling of a
// step, writing a checkpoint. Seconds of each, one JSON line each.
//   bench_parts FOLDER    writes its log and checkpoints there; the speed of that disk is part of the figure
#include <filesystem>
#include <functional>

#include <CLI/CLI.hpp>

#include "bench/clocks.h"
#include "data/loader/loader.h"
#include "framework/checkpoint/store.h"
#include "framework/run/run_folder.h"
#include "framework/train/optimizer.h"
#include "framework/train/run_log.h"
#include "models/gpt2.h"

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
                .state = {{"seconds", 1.0}},
                .metric = {}});
  });
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
}
