#include "cli/blind.h"

#include <algorithm>
#include <memory>
#include <random>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/config/error.h"
#include "framework/files/files.h"
#include "framework/log/format.h"
#include "framework/run/environment.h"
#include "framework/run/run_folder.h"
#include "render/soundfont.h"
#include "report/blind/listening.h"
#include "report/blind/preferences.h"
#include "report/blind/recording.h"
#include "report/flat_yaml.h"

namespace etude::cli {
namespace {

namespace fs = std::filesystem;

/// So many of a pack's or folder's pieces are looked at: some are too short.
constexpr std::size_t kMostByPeople = 200;
/// Who answered, and the first pairs; the rest stands in the report's own section.
constexpr std::size_t kSummarised = 4;
constexpr const char* kListening = "Listening test";

fs::path pack_of(const BlindArguments& arguments, const fs::path& run) {
  if (!arguments.pack.empty()) return arguments.pack;
  const fs::path config = run::open_run(run).config();
  const nlohmann::json options = report::flat_yaml(files::read(config), config.string());
  const std::string pack = options.value("data.pack", "");
  if (fs::is_directory(pack)) return pack;
  throw UsageError(
      fmt::format("--with-human: {} names the pack '{}', which is not here; say with --pack where it is, or give "
                  "a folder of music with --human",
                  config.string(), pack));
}

std::vector<blind::Source> sources_of(const BlindArguments& arguments, const std::vector<fs::path>& runs,
                                      std::uint64_t seed) {
  std::vector<blind::Source> sources;
  for (const fs::path& run : runs) sources.push_back(blind::pieces_of_run(run));
  if (!arguments.human.empty()) {
    sources.push_back(
        blind::pieces_of_folder(arguments.human, *blind::tokenizer_of_run(runs.front()), kMostByPeople, seed));
  } else if (arguments.with_human) {
    sources.push_back(
        blind::pieces_of_test_split(data::Pack::open(pack_of(arguments, runs.front())), kMostByPeople, seed));
  }
  return sources;
}

/// What --key says, else the only key beside the first file or in this folder.
fs::path key_for(const PreferenceArguments& arguments) {
  if (!arguments.key.empty()) return arguments.key;
  for (const fs::path& folder : {fs::absolute(arguments.files.front()).parent_path(), fs::current_path()}) {
    std::vector<fs::path> found;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder, none)) {
      if (entry.path().filename().string().ends_with(".key.json")) found.push_back(entry.path());
    }
    if (found.size() == 1) return found.front();
  }
  throw UsageError("--preferences: say with --key which key they belong to: NAME.key.json was written beside the page");
}

/// Nothing where the page is to play notes, or has to, for want of a soundfont.
blind::Record recorder(const BlindArguments& arguments) {
  if (arguments.sound == "synth") return {};
  try {
    const auto synthesizer =
        std::make_shared<render::Synthesizer>(render::find_soundfont(arguments.soundfont), blind::kRecordingRate);
    return [synthesizer](const data::Score& score, double seconds) {
      return blind::recording(*synthesizer, score, seconds);
    };
  } catch (const UsageError& error) {
    if (arguments.sound == "audio" || !arguments.soundfont.empty()) throw;
    fmt::print(stderr, "{}\nThe page will play the notes itself, in a plainer sound.\n", error.what());
    return {};
  }
}

}  // namespace

void add_blind_options(CLI::App& command, BlindArguments& arguments) {
  CLI::Option* blind =
      command.add_flag("--blind", arguments.blind,
                       "Make a page with which people compare pieces of RUN/generated without knowing which run "
                       "they are by (docs/listening.md)");
  const std::vector<CLI::Option*> options{
      command.add_option("--seconds", arguments.seconds, "How long each piece is heard; less where pieces are shorter")
          ->check(CLI::Range(1.0, 600.0)),
      command.add_option("--pieces", arguments.pieces, "Pieces of each model (default: all, at most 40 of all models)")
          ->check(CLI::PositiveNumber),
      command
          .add_option(
              "--rounds", arguments.rounds,
              "How often each two models are compared, an even number (default: once a piece, for half an hour in all)")
          ->check(CLI::PositiveNumber),
      command.add_option("--questions", arguments.questions, "Asked beside which piece is preferred")
          ->type_name("TEXT"),
      command.add_option("--seed", arguments.seed,
                         "Draws the same pieces in the same order again; whoever knows it can find out "
                         "what is by whom (default: a new one, kept in the key)"),
      command.add_flag("--with-human", arguments.with_human,
                       "Pieces by people too, from the test split of the first run's pack"),
      command.add_option("--human", arguments.human, "Pieces by people too, from a folder of MIDI or ABC files")
          ->type_name("DIR"),
      command.add_option("--pack", arguments.pack, "Where the pack for --with-human is, if not where the run had it")
          ->type_name("DIR"),
      command
          .add_option("--sound", arguments.sound,
                      "audio: recordings with a soundfont; synth: the page plays the notes (default: "
                      "audio where there is a soundfont)")
          ->check(CLI::IsMember({"audio", "synth"})),
      command
          .add_option("--soundfont", arguments.soundfont,
                      "For the recordings (default: $ETUDE_SOUNDFONT, else the system's)")
          ->type_name("FILE")};
  blind->group(kListening);
  for (CLI::Option* option : options) option->group(kListening)->needs(blind);
}

void make_listening_page(const BlindArguments& arguments, const std::vector<fs::path>& runs, const fs::path& output) {
  if (output.empty()) throw UsageError("--blind: say with --output where the page is to be written");
  const fs::path key = blind::key_beside(output);
  if (fs::exists(key)) {
    throw UsageError(
        fmt::format("{} is the key of an earlier page, without which no answer to that can be read; choose another "
                    "--output, or remove it",
                    key.string()));
  }
  blind::ListeningOptions options;
  options.seconds = arguments.seconds;
  options.pieces = arguments.pieces;
  options.rounds = arguments.rounds;
  options.questions = arguments.questions;
  options.made = "etude " + run::version();
  std::random_device device;
  options.seed = arguments.seed ? *arguments.seed : std::uint64_t{device()} << 32 | device();

  const blind::Listening made =
      blind::make_listening(sources_of(arguments, runs, options.seed), options, recorder(arguments));
  for (const std::string& remark : made.remarks) fmt::print(stderr, "{}\n", remark);
  // The key first: a page without one would be answered for nothing.
  blind::write_key(key, made.key);
  try {
    files::write_atomically(output, made.page);
  } catch (const Error&) {
    fs::remove(key);
    throw;
  }
  fmt::print("{}: {} pieces of {:g} s by {} models in {} comparisons, {}; send this to listeners\n", output.string(),
             made.key.pieces.size(), made.key.seconds, made.key.models.size(), made.key.comparisons.size(),
             log::bytes(made.page.size()));
  fmt::print("{}: which piece is by which model; keep it, and show it to nobody who listens\n", key.string());
}

void add_preference_options(CLI::App& command, PreferenceArguments& arguments) {
  CLI::Option* files =
      command.add_option("--preferences", arguments.files, "Files that listeners saved from a page of --blind")
          ->type_name("FILE")
          ->group(kListening);
  command
      .add_option("--key", arguments.key,
                  "The key of that page (default: the one *.key.json beside the first of these files, or here)")
      ->type_name("FILE")
      ->group(kListening)
      ->needs(files);
}

void add_preferences(nlohmann::json& model, const PreferenceArguments& arguments) {
  if (arguments.files.empty()) return;
  const blind::Key key = blind::read_key(key_for(arguments));
  const blind::Preferences found = blind::win_rates(key, blind::collect(arguments.files, key));
  for (const blind::Refused& one : found.refused) fmt::print(stderr, "does not count: {}: {}\n", one.file, one.reason);
  for (const std::string& remark : found.remarks) fmt::print(stderr, "{}\n", remark);
  if (found.listeners == 0) throw Error("--preferences: none of the files counts");
  model["preferences"] = blind::to_json(found);
  for (std::size_t i = 0; i < std::min(kSummarised, found.sentences.size()); ++i) {
    model["summary"].push_back(found.sentences[i]);
  }
}

}  // namespace etude::cli
