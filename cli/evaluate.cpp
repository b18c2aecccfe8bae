#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/evaluate_music.h"
#include "cli/ranks.h"
#include "framework/comm/communicator.h"
#include "framework/config/error.h"
#include "framework/evaluate/evaluator.h"
#include "framework/evaluate/metrics.h"
#include "framework/evaluate/of_pieces.h"
#include "framework/log/console.h"
#include "framework/log/format.h"
#include "framework/parallel/worker_pool.h"
#include "framework/train/trained_model.h"

namespace etude::cli {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  fs::path run;
  std::string split = "validation";
  std::string checkpoint;
  fs::path pack;
  std::int64_t threads = 0;
  std::optional<std::int64_t> memory;
  std::int64_t sequence = 0;  ///< 0: as in training
  bool slides = false;
  std::int64_t context = 0;  ///< 0: what the model sees in training
  std::int64_t tokens = 0;
  device::Choice device = device::Choice::kAuto;
  MusicChoice music;
  bool only_music = false;
};

constexpr std::size_t kConfusionsShown = 10;

/// What the model is measured on and how, by what was asked for.
evaluate::Selection selection_of(const Arguments& arguments, const train::TrainedModel& trained) {
  evaluate::Selection selection{
      .split = data::parse_split(arguments.split),
      .sequence_length = arguments.sequence > 0 ? arguments.sequence : trained.experiment.data.sequence_length,
      .rows = trained.experiment.train.micro_batch,
      .tokens = arguments.tokens,
      .memory = arguments.memory};
  if (arguments.slides) {
    selection.window = arguments.context > 0 ? arguments.context
                                             : evaluate::heard_in_training(*trained.model, selection.sequence_length);
  }
  return selection;
}

/// What evaluation.json calls the result: the split alone, as long as it is measured as while training.
std::string key_of(const Arguments& arguments, const evaluate::Selection& selection) {
  std::string key = arguments.split;
  if (selection.window > 0) key += fmt::format("/sliding={}", selection.window);
  if (arguments.sequence > 0) key += fmt::format("/sequence={}", arguments.sequence);
  if (arguments.memory) key += fmt::format("/memory={}", *arguments.memory);
  if (arguments.tokens > 0) key += fmt::format("/tokens={}", arguments.tokens);
  return key;
}

/// How fast it went; of a part of the split also how long the whole would take.
void tell_pace(const models::Model& model, const data::Pack& pack, const evaluate::Selection& selection,
               std::int64_t tokens, double seconds) {
  fmt::print("{} tokens in {:.3g} s, {:.4g} tokens/s\n", log::with_thousands(tokens), seconds,
             static_cast<double>(tokens) / seconds);
  if (selection.tokens == 0) return;
  evaluate::Selection whole = selection;
  whole.tokens = 0;
  const auto sequences = [&](const evaluate::Selection& of) {
    return static_cast<double>(evaluate::sequences_in(pack, model, of));
  };
  const double estimate = seconds * sequences(whole) / sequences(selection);
  fmt::print("That was the beginning of the split; the whole would take about {}\n", log::duration(estimate));
}

/// The pack that the run was trained on, or nothing where it is no longer there.
std::optional<data::Pack> own_pack(const train::TrainedModel& trained) {
  try {
    return data::Pack::open(trained.experiment.data.pack);
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// Of another pack's music some may be what the run learned from.
void look_for_learned(nlohmann::json& result, const train::TrainedModel& trained) {
  const std::optional<data::Pack> own = own_pack(trained);
  evaluate::set_learned_from(result, own ? &*own : nullptr);
  const std::size_t pieces = result.at("pieces").size();
  if (const auto learned = result.value("learned", std::size_t{0}); learned > 0) {
    fmt::print(stderr, "warning: the run learned from {} of these {} pieces, so it is not as good as this says\n",
               learned, pieces);
  } else if (!own) {
    fmt::print(stderr, "{}: is not there any more, so nobody knows whether the run learned from these {} pieces\n",
               trained.experiment.data.pack.string(), pieces);
  }
}

/// Measures the model on the split, on all ranks, and tells of it.
void measure_loss(comm::Communicator& communicator, const Arguments& arguments, const run::RunFolder& folder,
                  train::TrainedModel& trained, const data::Pack& pack, parallel::WorkerPool& workers) {
  std::vector<std::unique_ptr<models::Model>> replicas;
  std::vector<models::Model*> models{trained.model.get()};
  for (int i = 1; i < workers.threads(); ++i) {
    replicas.push_back(trained.model->replica());
    models.push_back(replicas.back().get());
  }

  const bool first = communicator.rank() == 0;
  const evaluate::Selection selection = selection_of(arguments, trained);
  std::unique_ptr<log::Progress> progress;
  const auto start = std::chrono::steady_clock::now();
  const evaluate::Tally tally =
      evaluate::evaluate(models, pack, selection, communicator, workers, [&](std::int64_t done, std::int64_t of) {
        if (!first) return;
        if (!progress) progress = std::make_unique<log::Progress>("evaluate", of, stderr);
        progress->tick(done);
      });
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  if (progress) progress->finish("");
  if (!first) return;

  nlohmann::json result = evaluate::to_json(tally, pack.vocabulary());
  evaluate::add_pieces(result, tally, pack, selection.split);
  if (!arguments.pack.empty()) look_for_learned(result, trained);
  result["step"] = trained.step;
  evaluate::write_result(folder.evaluation(), key_of(arguments, selection), result);
  fmt::print("{}, step {}, on the {} split of {}\n{}", arguments.run.string(), trained.step, arguments.split,
             pack.folder().string(), evaluate::table(tally, pack.vocabulary()));
  fmt::print("{}{}", evaluate::table_by_position(tally), evaluate::table_by_composer(result));
  tell_pace(*trained.model, pack, selection, tally.all().tokens, passed.count());
  const auto confusions = evaluate::confusions_in_words(tally, pack.vocabulary(), kConfusionsShown);
  if (!confusions.empty()) fmt::print("Most often confused:\n  {}\n", fmt::join(confusions, "\n  "));
  fmt::print("Written with the whole confusion matrices to {}\n", folder.evaluation().string());
}

void evaluate_with(comm::Communicator& communicator, const Arguments& arguments) {
  if (arguments.only_music && !arguments.music.any()) {
    throw UsageError(
        "--only-music: of which pieces? --generate N has the model make some, --music DIR takes those there");
  }
  const device::Seat seat = device::choose_seat(arguments.device, communicator.local_rank(), warn_of_device);
  const run::RunFolder folder = run::open_run(arguments.run);
  train::TrainedModel trained = train::load_trained(folder, arguments.checkpoint);
  watch_collectives(communicator, trained.experiment.train.collective_timeout, folder);
  const fs::path where = arguments.pack.empty() ? trained.experiment.data.pack : arguments.pack;
  const data::Pack pack = data::Pack::open(where);
  if (pack.vocabulary().tokens() != trained.tokenizer->vocabulary().tokens()) {
    throw UsageError(fmt::format("{}: was packed with another vocabulary than the one {} was trained with",
                                 where.string(), arguments.run.string()));
  }
  const int cores =
      arguments.threads > 0 ? static_cast<int>(arguments.threads) : parallel::cores_per_rank(communicator.local_size());
  if (!arguments.only_music) {
    models::move_to(*trained.model, seat.device);
    parallel::WorkerPool workers(seat.device.is_cpu() ? cores : 1);
    measure_loss(communicator, arguments, folder, trained, pack, workers);
  }
  if (arguments.music.any() && communicator.rank() == 0) {
    measure_music(arguments.music, folder, trained, pack, data::parse_split(arguments.split), cores);
  }
}

}  // namespace

void add_evaluate(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("evaluate", "Measure a trained model on a split of its pack");
  command->add_option("run", arguments->run, "The run folder")->required()->type_name("RUN");
  command->add_option("--split", arguments->split, "train, validation or test")->capture_default_str();
  command->add_option("--checkpoint", arguments->checkpoint,
                      "best, last, final or a step's number (default: final, else last)");
  command->add_option("--pack", arguments->pack, "Another pack, of the same vocabulary, than the run was trained on");
  command
      ->add_option("--memory", arguments->memory,
                   "Tokens to remember, for models with memory (default: as in training)")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--sequence", arguments->sequence, "Tokens to hear at a time (default: data.sequence_length)")
      ->check(CLI::PositiveNumber);
  command
      ->add_option_function<std::string>(
          "--window", [arguments](const std::string& window) { arguments->slides = window == "sliding"; },
          "sliding: every token is predicted from a full context, computed anew for each. What any model would ideally "
          "know, and slow; see --context and --tokens")
      ->check(CLI::IsMember({"sliding"}));
  command
      ->add_option("--context", arguments->context,
                   "Tokens in the sliding window (default: what the model hears and remembers in training)")
      ->check(CLI::PositiveNumber);
  command->add_option("--tokens", arguments->tokens, "Measure on no more tokens than this, from the split's beginning")
      ->check(CLI::PositiveNumber);
  command->add_option("--threads", arguments->threads, "Threads per rank (0: the cores there are)")
      ->capture_default_str();
  add_music_options(*command, arguments->music);
  command->add_flag("--only-music", arguments->only_music, "Measure these pieces alone, not the loss on the split");
  add_device_option(*command, arguments->device);
  command->footer("Runs under mpirun too; the result is the same on any number of ranks.");
  command->callback([arguments] {
    on_all_ranks([&](comm::Communicator& communicator) { evaluate_with(communicator, *arguments); });
  });
}

}  // namespace etude::cli
