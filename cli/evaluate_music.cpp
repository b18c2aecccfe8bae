#include "cli/evaluate_music.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "analysis/music_report.h"
#include "data/abc/abc.h"
#include "data/midi/midi.h"
#include "data/pack/sources.h"
#include "framework/config/error.h"
#include "framework/evaluate/of_pieces.h"
#include "framework/files/files.h"
#include "framework/log/console.h"
#include "generation/generator.h"

namespace etude::cli {
namespace {

namespace fs = std::filesystem;
using analysis::NamedScore;

/// Lets the model make pieces from nothing and lays them into the run's folder in place of those made before.
std::vector<NamedScore> make_pieces(const MusicChoice& choice, const run::RunFolder& run,
                                    train::TrainedModel& trained) {
  at::set_num_threads(1);  // so that the same seed gives the same pieces however many cores there are
  models::move_to(*trained.model, at::kCPU);
  generation::GenerationOptions options;
  options.count = choice.generate;
  options.seed = choice.seed;
  options.most_tokens = choice.most_tokens;
  log::Progress progress("generate", choice.most_tokens, stderr);
  const std::vector<generation::Piece> made =
      generation::generate(*trained.model, *trained.tokenizer, {trained.tokenizer->vocabulary().id("BOS_None")},
                           options, [&](std::int64_t tokens) { progress.tick(tokens); });
  progress.finish("");

  const fs::path folder = run.generated(), fresh = run.root() / ".generated-new";
  fs::remove_all(fresh);
  fs::create_directory(fresh);
  std::vector<NamedScore> pieces;
  for (std::size_t i = 0; i < made.size(); ++i) {
    data::Score score = trained.tokenizer->decode(made[i].tokens);
    score.title =
        fmt::format("{}, step {}, seed {}, piece {}", trained.experiment.name, trained.step, choice.seed, i + 1);
    const std::string name = fmt::format("piece-{:03}.mid", i + 1);
    files::write_atomically(fresh / name, data::midi::serialize(score));
    pieces.push_back({name, std::move(score)});
  }
  fs::remove_all(folder);
  fs::rename(fresh, folder);
  return pieces;
}

/// What cannot be read is told and left out.
std::vector<NamedScore> read_pieces(const fs::path& folder) {
  std::vector<NamedScore> pieces;
  for (const data::Source& source : data::find_sources({folder}).files) {
    try {
      if (!source.is_abc) {
        pieces.push_back({source.name, data::midi::read(source.path)});
        continue;
      }
      for (data::abc::Tune& tune : data::abc::read(source.path).tunes) {
        pieces.push_back({fmt::format("{}#{}", source.name, tune.number), std::move(tune.score)});
      }
    } catch (const Error& error) {
      fmt::print(stderr, "left out: {}\n", error.what());
    }
  }
  if (pieces.empty())
    throw UsageError(fmt::format("--music: {}: holds no MIDI or ABC file that can be read", folder.string()));
  return pieces;
}

}  // namespace

void add_music_options(CLI::App& command, MusicChoice& choice) {
  auto* generate = command
                       .add_option("--generate", choice.generate,
                                   "Let the model make N pieces from nothing, keep them in RUN/generated, and measure "
                                   "them: what they are like beside the split's, and whether they are copied")
                       ->check(CLI::Range(1, 4096))
                       ->type_name("N");
  auto* music = command.add_option("--music", choice.folder, "Measure the MIDI and ABC files in here instead")
                    ->type_name("DIR")
                    ->excludes(generate);
  command.add_option("--seed", choice.seed, "Of the pieces made")->capture_default_str()->excludes(music);
  command.add_option("--max-tokens", choice.most_tokens, "Tokens that a piece made has at the most")
      ->check(CLI::Range(std::int64_t{16}, std::int64_t{1'000'000}))
      ->type_name("N")
      ->capture_default_str()
      ->excludes(music);
}

void measure_music(const MusicChoice& choice, const run::RunFolder& run, train::TrainedModel& trained,
                   const data::Pack& pack, data::Split split, int threads) {
  const bool makes = choice.generate > 0;
  const std::vector<NamedScore> pieces = makes ? make_pieces(choice, run, trained) : read_pieces(choice.folder);

  std::unique_ptr<log::Progress> progress;
  std::string shown;
  analysis::MusicReport report = analysis::measure_music_beside(
      pieces, pack, split, threads, [&](const std::string& doing, std::int64_t done, std::int64_t of) {
        if (of <= 0) of = std::ssize(pack.pieces(data::Split::kTrain));
        if (std::exchange(shown, doing) != doing) progress = std::make_unique<log::Progress>(doing, of, stderr);
        progress->tick(done);
        if (done == of) progress->finish("");
      });
  if (progress) progress->finish("");

  nlohmann::json& found = report.found;
  found["step"] = trained.step;
  found["pack"] = pack.hash();
  found["reference"]["split_hash"] = evaluate::music_hash(pack, split);
  found["folder"] = (makes ? run.generated() : fs::absolute(choice.folder)).string();
  if (makes) {
    found["seed"] = choice.seed;
    found["max_tokens"] = choice.most_tokens;
  }
  files::write_atomically(run.music(), found.dump(1) + "\n");
  fmt::print("\n{} pieces from {} beside the {} split\n{}Written with every piece's figures to {}\n", pieces.size(),
             makes ? run.generated().string() : choice.folder.string(), data::to_string(split), report.words,
             run.music().string());
}

}  // namespace etude::cli
