#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/inspect_experiment.h"
#include "data/abc/abc.h"
#include "data/midi/midi.h"
#include "data/shard/pack.h"
#include "framework/checkpoint/snapshot.h"
#include "framework/checkpoint/store.h"
#include "framework/config/error.h"
#include "framework/files/files.h"
#include "framework/log/format.h"
#include "framework/run/run_folder.h"
#include "framework/train/experiment.h"

namespace etude::cli {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::vector<fs::path> paths;
  std::vector<std::string> assignments;
  bool verify = false;
};

std::string lower_extension(const fs::path& file) {
  std::string extension = file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return extension;
}

void print_score(const data::Score& score) {
  fmt::print("  {} notes, {}, {} ticks per quarter\n", log::with_thousands(data::count_notes(score)),
             log::duration(data::seconds_at(score, data::end_of(score))), score.ticks_per_quarter);
  for (const data::Tempo& tempo : score.tempos) {
    if (&tempo == &score.tempos.front())
      fmt::print("  tempo {:.4g} quarters a minute{}\n", tempo.quarters_per_minute,
                 score.tempos.size() > 1 ? fmt::format(", {} changes", score.tempos.size() - 1) : "");
  }
  for (const data::TimeSignature& signature : score.time_signatures) {
    fmt::print("  {}/{} from tick {}\n", signature.numerator, signature.denominator, signature.time);
  }
  for (const data::Track& track : score.tracks) {
    const auto [low, high] = std::minmax_element(track.notes.begin(), track.notes.end(),
                                                 [](const auto& a, const auto& b) { return a.pitch < b.pitch; });
    fmt::print("  track '{}': {}, {} notes{}\n", track.name,
               track.drums ? std::string("drums") : fmt::format("program {}", track.program), track.notes.size(),
               track.notes.empty() ? "" : fmt::format(", keys {} to {}", low->pitch, high->pitch));
  }
}

void inspect_music(const fs::path& file) {
  if (lower_extension(file) == ".abc") {
    const data::abc::Book book = data::abc::read(file);
    fmt::print("{}: {} tunes\n", file.string(), book.tunes.size());
    for (const data::abc::Tune& tune : book.tunes) {
      fmt::print("X:{} {} ({})\n", tune.number, tune.title, tune.composer.empty() ? "no composer" : tune.composer);
      print_score(tune.score);
    }
    for (const data::abc::Problem& problem : book.problems) {
      fmt::print("{}:{}:{}: {}\n", file.string(), problem.line, problem.column, problem.what);
    }
    return;
  }
  const data::Score score = data::midi::read(file);
  fmt::print("{}: {}\n", file.string(), score.title.empty() ? "untitled" : score.title);
  print_score(score);
}

void inspect_checkpoint(const fs::path& folder) {
  checkpoint::verify(folder);
  const checkpoint::Snapshot snapshot = checkpoint::read_snapshot(folder);
  std::int64_t weights = 0;
  for (const auto& [name, tensor] : snapshot.model) weights += tensor.numel();
  fmt::print(
      "{}: whole, every hash is right\n  step {}{}\n  {} weights in {} tensors\n  learned from {} tokens in {}\n",
      folder.string(), snapshot.step, snapshot.metric ? fmt::format(", stop.metric {:.4f}", *snapshot.metric) : "",
      log::with_thousands(weights), snapshot.model.size(),
      log::with_thousands(snapshot.state.value("tokens", std::int64_t{0})),
      log::duration(snapshot.state.value("seconds", 0.0)));
}

void inspect_run(const fs::path& root) {
  const run::RunFolder folder = run::open_run(root);
  const train::Experiment experiment = train::load_experiment(folder.config());
  fmt::print("{}: run '{}', model {}, pack {}\n", root.string(), experiment.name, experiment.model.kind,
             experiment.data.pack.string());
  nlohmann::json last_step, last_evaluation;
  std::ifstream metrics(folder.metrics());
  for (std::string line; std::getline(metrics, line);) {
    const auto row = nlohmann::json::parse(line, nullptr, false);
    if (row.contains("loss")) last_step = row;
    if (row.contains("eval_loss")) last_evaluation = row;
  }
  const auto figure = [](const nlohmann::json& row, const char* key) {
    return row.contains(key) && row[key].is_number() ? row[key].get<double>()
                                                     : std::numeric_limits<double>::quiet_NaN();
  };
  if (!last_step.is_null()) {
    fmt::print("  step {} of {}, epoch {:.2f}, loss {:.4f}, {} tokens in {}\n", last_step["step"].get<std::int64_t>(),
               experiment.train.epochs > 0 ? fmt::format("{} epochs", experiment.train.epochs)
                                           : fmt::format("{}", experiment.train.steps),
               figure(last_step, "epoch"), figure(last_step, "loss"),
               log::with_thousands(last_step.value("tokens", std::int64_t{0})),
               log::duration(figure(last_step, "seconds")));
  }
  if (!last_evaluation.is_null()) {
    fmt::print("  last evaluation at step {}: loss {:.4f} per token, {:.4f} per note\n",
               last_evaluation["step"].get<std::int64_t>(), figure(last_evaluation, "eval_loss"),
               figure(last_evaluation, "eval_loss_per_note"));
  }
  const checkpoint::Store store(folder.checkpoints(), experiment.checkpoint, false);
  for (const fs::path& path : store.newest_first()) {
    const checkpoint::Manifest manifest = checkpoint::read_manifest(path);
    fmt::print("  checkpoint {}{}\n", path.filename().string(),
               manifest.metric ? fmt::format(": {} {:.4f}", experiment.stop.metric, *manifest.metric) : "");
  }
  for (const char* name : {"last", "best", "final"}) {
    const fs::path link = folder.checkpoints() / name;
    if (fs::is_symlink(link)) fmt::print("  {} is {}\n", name, fs::read_symlink(link).string());
  }
}

bool is_experiment(const fs::path& path) {
  const std::string extension = lower_extension(path);
  return fs::is_regular_file(path) && (extension == ".yaml" || extension == ".yml");
}

void inspect_place(const fs::path& path, const Arguments& arguments) {
  if (fs::is_regular_file(path)) return inspect_music(path);
  if (fs::exists(path / "pack.json")) {
    const data::Pack pack = data::Pack::open(path);
    fmt::print("{}", pack.describe());
    if (arguments.verify) {
      pack.verify();
      fmt::print("every checksum is right\n");
    }
    return;
  }
  if (fs::exists(path / "manifest.json")) return inspect_checkpoint(path);
  if (fs::exists(path / "config.yaml")) return inspect_run(path);
  throw UsageError(
      fmt::format("{}: is no pack (pack.json), no run (config.yaml) and no checkpoint (manifest.json)", path.string()));
}

void run_inspect(const Arguments& arguments) {
  for (const fs::path& path : arguments.paths) {
    if (!fs::exists(path)) throw UsageError(fmt::format("{}: no such file or folder", path.string()));
  }
  const auto experiments = std::ranges::count_if(arguments.paths, is_experiment);
  if (experiments == std::ssize(arguments.paths)) return inspect_experiments(arguments.paths, arguments.assignments);
  if (experiments > 0) throw UsageError("experiments are shown side by side, but not beside anything else");
  if (!arguments.assignments.empty()) throw UsageError("--set is about an experiment's keys, and none is given");
  for (const fs::path& path : arguments.paths) inspect_place(path, arguments);
}

}  // namespace

void add_inspect(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "inspect", "Show what a pack, a run, a checkpoint or a music file holds, or what an experiment will take");
  command
      ->add_option("path", arguments->paths,
                   "A pack, run or checkpoint folder; a .mid, .midi or .abc file; or the .yaml of an experiment, of "
                   "several for a table side by side")
      ->required()
      ->type_name("PATH");
  command->add_option("--set", arguments->assignments, "Another value for one key of the experiments (repeatable)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->take_all();
  command->add_flag("--verify", arguments->verify,
                    "Read a whole pack and compare it with its checksums (checkpoints always are)");
  command->callback([arguments] { run_inspect(*arguments); });
}

}  // namespace etude::cli
