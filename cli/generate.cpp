#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/music_file.h"
#include "data/midi/midi.h"
#include "framework/config/error.h"
#include "framework/files/files.h"
#include "framework/log/console.h"
#include "framework/log/format.h"
#include "framework/train/trained_model.h"
#include "generation/generator.h"
#include "generation/prompt.h"
#include "render/renderer.h"

namespace etude::cli {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  fs::path run;
  std::string checkpoint;
  fs::path prompt;
  generation::PromptCut cut;
  generation::GenerationOptions options;
  std::string precision;
  double tempo = 0;
  fs::path output;
  std::string formats;
};

/// new.mid, or new-1.mid, new-2.mid, … when there are several.
fs::path name_of(const fs::path& output, int count, std::size_t index) {
  if (count == 1) return output;
  return output.parent_path() / fmt::format("{}-{}{}", output.stem().string(), index + 1, output.extension().string());
}

void run_generate(const Arguments& arguments) {
  // One thread, so that the same seed gives the same piece however many cores there are.
  at::set_num_threads(1);
  if (!arguments.output.parent_path().empty() && !fs::is_directory(arguments.output.parent_path())) {
    throw UsageError(fmt::format("--output: {}: no such folder", arguments.output.parent_path().string()));
  }
  std::optional<render::Renderer> renderer;
  if (!arguments.formats.empty())
    renderer.emplace(render::RendererOptions{render::parse_formats(arguments.formats), {}});
  const run::RunFolder folder = run::open_run(arguments.run);
  train::TrainedModel trained = train::load_trained(folder, arguments.checkpoint);
  const bool as_bfloat16 = arguments.precision.empty()
                               ? trained.experiment.train.precision == train::Precision::kBfloat16
                               : arguments.precision == "bfloat16";
  if (as_bfloat16) models::set_matrix_dtype(*trained.model, at::kBFloat16);

  std::optional<data::Score> prompt;
  std::vector<data::TokenId> tokens{trained.tokenizer->vocabulary().id("BOS_None")};
  if (!arguments.prompt.empty()) {
    prompt = std::move(read_music(arguments.prompt, "--prompt: ").front().score);
    tokens = generation::prompt_tokens(*trained.tokenizer, *prompt, arguments.cut);
  }
  log::Progress progress("generate", arguments.options.most_tokens, stderr);
  const auto pieces = generation::generate(*trained.model, *trained.tokenizer, tokens, arguments.options,
                                           [&](std::int64_t made) { progress.tick(made); });
  progress.finish("");

  const double prompt_tempo = prompt && !prompt->tempos.empty() ? prompt->tempos.front().quarters_per_minute : 120.0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const generation::Piece& piece = pieces[i];
    data::Score score = trained.tokenizer->decode(piece.tokens);
    score.title = fmt::format("{}, step {}, seed {}{}", trained.experiment.name, trained.step, arguments.options.seed,
                              pieces.size() > 1 ? fmt::format(", variation {}", i + 1) : "");
    score.tempos = {{0, arguments.tempo > 0 ? arguments.tempo : prompt_tempo}};
    const fs::path file = name_of(arguments.output, arguments.options.count, i);
    files::write_atomically(file, data::midi::serialize(score));
    const std::int64_t bars = std::count(piece.tokens.begin(), piece.tokens.end(),
                                         trained.tokenizer->vocabulary().find("Bar_None").value_or(-1));
    fmt::print("{}: {} bar{}, {} notes, {}; {}\n", file.string(), bars, bars == 1 ? "" : "s", data::count_notes(score),
               log::duration(data::seconds_at(score, data::end_of(score))),
               piece.ended_by_itself ? "ended by itself"
               : std::ssize(piece.tokens) - piece.prompt >= arguments.options.most_tokens
                   ? "cut off at --max-tokens"
                   : "brought to an end at --bars");
    if (!renderer) continue;
    const fs::path stem = file.parent_path() / file.stem();
    renderer->write(score, stem);
    for (const fs::path& rendered : renderer->files_of(stem)) fmt::print("{}\n", rendered.string());
  }
}

}  // namespace

void add_generate(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  auto& options = arguments->options;
  CLI::App* command = app.add_subcommand("generate", "Make new music with a trained model");
  command->add_option("run", arguments->run, "The run folder")->required()->type_name("RUN");
  command->add_option("--output", arguments->output, "MIDI file to write (with --count, NAME-1.mid, NAME-2.mid, …)")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--prompt", arguments->prompt,
                   "MIDI or ABC file to continue, book.abc#12 for its tune X:12 (default: start from nothing)")
      ->type_name("FILE");
  command->add_option("--prompt-bars", arguments->cut.bars, "Use only the prompt's first bars (0: all)")
      ->check(CLI::Range(0, 1'000'000))
      ->type_name("N");
  command->add_option("--prompt-seconds", arguments->cut.seconds, "Use only the prompt's first seconds (0: all)")
      ->check(CLI::Range(0.0, 1e9))
      ->type_name("SECONDS");
  command
      ->add_option("--bars", options.bars,
                   "Bars to add, the piece is brought to its end there (0: until it ends by itself); see --max-tokens")
      ->check(CLI::Range(0, 1'000'000))
      ->type_name("N");
  command->add_option("--count", options.count, "Variations to make, in one batch")
      ->check(CLI::Range(1, 4096))
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--seed", options.seed, "The same seed makes the same piece")->capture_default_str();
  command
      ->add_option("--temperature", options.sampling.temperature,
                   "Below 1 safer, above 1 wilder; 0 takes the likeliest")
      ->capture_default_str();
  command->add_option("--top-k", options.sampling.top_k, "Draw from the k likeliest tokens alone (0: all)")
      ->capture_default_str();
  command->add_option("--top-p", options.sampling.top_p, "Draw from the fewest tokens that together are this likely")
      ->capture_default_str();
  command
      ->add_option("--repetition-penalty", options.sampling.repetition_penalty,
                   "Above 1 disfavours what was there already")
      ->capture_default_str();
  command->add_flag("--valid-only,!--no-valid-only", options.valid_only,
                    "Only tokens that make sense where they stand (default on; --no-valid-only lets the model err)");
  command->add_option("--max-tokens", options.most_tokens, "Tokens to add at the most")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{100'000'000}))
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--tempo", arguments->tempo, "Quarters a minute (default: the prompt's, else 120)")
      ->check(CLI::Range(1.0, 1000.0))
      ->type_name("BPM");
  command
      ->add_option("--precision", arguments->precision,
                   "How the weights are held: float32 or bfloat16, which is faster (default: as they were trained)")
      ->check(CLI::IsMember({"float32", "bfloat16"}).description(""))
      ->type_name("NAME");
  command
      ->add_option(
          "--render", arguments->formats,
          "Beside each MIDI file also wav, flac, musicxml, pdf, or several parted by commas; see 'etude render'")
      ->type_name("FORMAT");
  command->add_option("--checkpoint", arguments->checkpoint,
                      "best, last, final or a step's number (default: final, else last)");
  command->callback([arguments] { run_generate(*arguments); });
}

}  // namespace etude::cli
