// How fast one thread measures a long piece beyond its first CONTEXT tokens: with a memory of that length, segment by
// segment, and as the sliding window does, which computes all of the last CONTEXT tokens anew for every token. Both by
// evaluate(), on a pack's first test piece, with the same weights. Prints two JSON lines, with the loss of
// both on the same tokens.
//   bench_window RUN PACK [--context N] [--windows N] [--segment N]
#include <cmath>
#include <cstdint>
#include <filesystem>

#include <CLI/CLI.hpp>

#include "bench/clocks.h"
#include "data/shard/pack.h"
#include "framework/comm/single_process.h"
#include "framework/config/error.h"
#include "framework/evaluate/evaluator.h"
#include "framework/evaluate/metrics.h"
#include "framework/run/memory.h"
#include "framework/train/trained_model.h"

namespace {

using namespace etude;

struct Measured {
  double tokens = 0, loss = 0;  ///< loss: their sum
  bench::Seconds seconds;
};

Measured measure(models::Model& model, const data::Pack& pack, const evaluate::Selection& selection) {
  comm::SingleProcess alone;
  parallel::WorkerPool one_thread(1);
  const bench::Seconds before = bench::now();
  const auto found = evaluate::metrics(evaluate::evaluate({&model}, pack, selection, alone, one_thread));
  const auto tokens = static_cast<double>(found.tokens);
  return {tokens, tokens * found.loss, bench::now() - before};
}

/// What the tokens between two measurements of a piece's beginning took.
Measured between(const Measured& shorter, const Measured& longer) {
  return {longer.tokens - shorter.tokens, longer.loss - shorter.loss, longer.seconds - shorter.seconds};
}

}  // namespace

int main(int argc, char** argv) {
  run::keep_freed_memory();
  std::filesystem::path run_folder, pack_folder;
  std::int64_t context = 3800, windows = 30, segment = 1024;
  CLI::App app{"A memory beside the sliding window"};
  app.add_option("run", run_folder)->required();
  app.add_option("pack", pack_folder, "Its first test piece is measured")->required();
  app.add_option("--context", context);
  app.add_option("--windows", windows, "How many tokens the sliding window is to measure");
  app.add_option("--segment", segment, "Tokens heard at a time with a memory (1024); 0 for as many as in training");
  CLI11_PARSE(app, argc, argv);

  const train::TrainedModel trained = train::load_trained(run::open_run(run_folder));
  const data::Pack pack = data::Pack::open(pack_folder);
  const std::int64_t length = pack.pieces(data::Split::kTest).at(0).tokens - 1;
  context = std::min(context, length / 2);
  windows = std::min(windows, length - context);
  evaluate::Selection with_memory{.split = data::Split::kTest,
                                  .sequence_length = segment > 0 ? segment : trained.experiment.data.sequence_length,
                                  .rows = 1,
                                  .memory = context};
  evaluate::Selection sliding = with_memory;
  sliding.memory.reset();
  sliding.window = context;
  const auto up_to = [&](evaluate::Selection selection, std::int64_t tokens) {
    selection.tokens = tokens;
    return measure(*trained.model, pack, selection);
  };

  const auto print = [&](const char* who, const Measured& speed, const Measured& same) {
    bench::print({{"what", "window"},
                  {"who", who},
                  {"context", context},
                  {"segment", with_memory.sequence_length},
                  {"measured", speed.tokens},
                  {"figure", speed.tokens / speed.seconds.wall},
                  {"cpu_figure", speed.tokens / speed.seconds.cpu},
                  {"unit", "tokens/s"},
                  {"loss", same.loss / same.tokens},
                  {"loss_over", same.tokens}});
  };
  const Measured beginning = up_to(with_memory, context);
  const Measured same = between(beginning, up_to(with_memory, context + windows));
  print("memory", between(beginning, up_to(with_memory, length)), same);
  const Measured slid = between(up_to(sliding, context), up_to(sliding, context + windows));
  print("sliding window", slid, slid);
}
