#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/music_file.h"
#include "data/pack/sources.h"
#include "framework/config/error.h"
#include "framework/log/console.h"
#include "framework/run/run_folder.h"
#include "render/excerpt.h"
#include "render/renderer.h"

namespace etude::cli {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::vector<fs::path> inputs;
  std::string formats;
  fs::path output;
  render::RendererOptions renderer;
  render::Excerpt excerpt;
  bool force = false;
};

/// A file to render.
struct Source {
  fs::path file;  ///< with #12 for a tune of a book
  fs::path name;  ///< its place below --output, with its ending
};

/// The pieces that a run has made.
fs::path generated_of(const fs::path& root) {
  const fs::path folder = run::RunFolder(root).generated();
  if (!fs::is_directory(folder) || fs::is_empty(folder)) {
    throw UsageError(fmt::format(
        "{}: this run has made no music yet; 'etude evaluate {} --generate 32' lets it, or 'etude generate {} --output "
        "new.mid', and then 'etude render new.mid'",
        root.string(), root.string(), root.string()));
  }
  return folder;
}

std::vector<Source> find(const std::vector<fs::path>& inputs) {
  std::vector<Source> sources;
  for (const fs::path& input : inputs) {
    if (!fs::is_directory(input)) {
      if (fs::exists(input)) data::find_sources({input});  // says so when it is no music
      sources.push_back({input, input.filename()});
      continue;
    }
    const fs::path folder = run::RunFolder(input).exists() ? generated_of(input) : input;
    const data::Sources found = data::find_sources({folder});
    if (found.files.empty()) {
      throw UsageError(fmt::format("{}: holds no .mid, .midi or .abc file", folder.string()));
    }
    for (const data::Source& source : found.files)
      sources.push_back({source.path, source.path.lexically_relative(folder)});
  }
  return sources;
}

/// Where the files of a piece go, without their endings; of two pieces that would go to one place the second is
/// numbered.
class Places {
 public:
  Places(const Arguments& arguments, const render::Renderer& renderer) : arguments_(arguments), renderer_(renderer) {}

  fs::path stem(const Source& source, const MusicPiece& piece) {
    if (is_file()) return with_stem(arguments_.output, arguments_.output.stem().string());
    std::string name = source.name.stem().string();
    if (!piece.tune.empty()) name += "-" + piece.tune;
    const fs::path beside = arguments_.output.empty() ? source.file : arguments_.output / source.name;
    fs::path stem = with_stem(beside, name);
    for (int number = 2; !taken_.insert(stem).second; ++number)
      stem = with_stem(beside, fmt::format("{}-{}", name, number));
    return stem;
  }
  /// Whether --output is the name of one file.
  bool is_file() const {
    const auto files = renderer_.files_of("x");
    return files.size() == 1 && arguments_.output.extension() == files.front().extension() &&
           !fs::is_directory(arguments_.output);
  }

 private:
  static fs::path with_stem(const fs::path& path, const std::string& stem) { return path.parent_path() / stem; }

  const Arguments& arguments_;
  const render::Renderer& renderer_;
  std::set<fs::path> taken_;
};

/// Renders everything, and says at the end how much of it failed.
class Job {
 public:
  explicit Job(const Arguments& arguments)
      : arguments_(arguments),
        sources_(find(arguments.inputs)),
        renderer_(arguments.renderer),
        places_(arguments_, renderer_),
        progress_("render", static_cast<std::int64_t>(sources_.size()), stderr) {
    if (places_.is_file() && sources_.size() > 1) {
      throw UsageError(fmt::format("--output: {} is one file, but there are {} to render; name a folder",
                                   arguments.output.string(), sources_.size()));
    }
  }

  void run() {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      render_file(sources_[i]);
      progress_.tick(static_cast<std::int64_t>(i) + 1);
    }
    progress_.finish("");
    if (failures_.empty()) return;
    const std::string& first = failures_.front();
    if (pieces_ == 1) {
      if (misuse_) throw UsageError(first);
      throw Error(first);
    }
    const std::string all =
        fmt::format("{} of {} pieces could not be rendered; they are named above", failures_.size(), pieces_);
    if (misuse_) throw UsageError(all);
    throw Error(all);
  }

 private:
  void render_file(const Source& source) {
    std::vector<MusicPiece> pieces;
    try {
      pieces = read_music(source.file);
    } catch (const Error& error) {
      fail(error, "", false);
      return;
    }
    const bool whole_book = !pieces.front().tune.empty() && source.file.string().find('#') == std::string::npos;
    if (pieces.size() > 1 && places_.is_file()) {
      throw UsageError(fmt::format("--output: {} is one file, but {} has {} tunes; name a folder, or one tune: {}#{}",
                                   arguments_.output.string(), source.file.string(), pieces.size(),
                                   source.file.string(), pieces.front().tune));
    }
    for (const MusicPiece& piece : pieces) render_piece(source, piece, whole_book);
  }

  void render_piece(const Source& source, const MusicPiece& piece, bool whole_book) {
    const std::string name =
        whole_book ? fmt::format("{}#{}: ", source.file.string(), piece.tune) : source.file.string() + ": ";
    try {
      const fs::path stem = places_.stem(source, piece);
      const auto files = renderer_.files_of(stem);
      for (const fs::path& file : files) {
        if (fs::exists(file) && !arguments_.force) {
          throw UsageError(fmt::format("{} is there already; --force overwrites it", file.string()));
        }
      }
      data::Score score = render::take(piece.score, arguments_.excerpt, piece.upbeat);
      if (data::count_notes(score) == 0) throw Error("there is no note in it");
      if (score.title.empty()) score.title = stem.filename().string();
      if (!stem.parent_path().empty()) fs::create_directories(stem.parent_path());
      renderer_.write(score, stem, {piece.upbeat});
      ++pieces_;
      for (const fs::path& file : files) fmt::print("{}\n", file.string());
      std::fflush(stdout);
    } catch (const std::exception& error) {
      fail(error, name, whole_book);
    }
  }

  void fail(const std::exception& error, const std::string& place, bool of_several) {
    ++pieces_;
    misuse_ = misuse_ || dynamic_cast<const UsageError*>(&error) != nullptr;
    failures_.push_back(place + in_words(error));
    if (of_several || sources_.size() > 1) progress_.message(failures_.back());
  }

  const Arguments& arguments_;
  std::vector<Source> sources_;
  render::Renderer renderer_;
  Places places_;
  log::Progress progress_;
  std::vector<std::string> failures_;
  std::size_t pieces_ = 0;
  bool misuse_ = false;
};

}  // namespace

void add_render(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("render", "Turn pieces into sound (WAV, FLAC) and into scores for piano (MusicXML, PDF)");
  command
      ->add_option(
          "input", arguments->inputs,
          "MIDI or ABC files (book.abc#12 for its tune X:12), folders of them, or run folders, whose pieces in "
          "generated/ are taken")
      ->required()
      ->type_name("FILE|DIR|RUN");
  command->add_option("--to", arguments->formats, "wav, flac, musicxml, pdf, or several parted by commas")
      ->required()
      ->type_name("FORMAT");
  command
      ->add_option("--output", arguments->output,
                   "A file for one piece in one format, else a folder (default: beside each piece)")
      ->type_name("FILE|DIR");
  command
      ->add_option("--soundfont", arguments->renderer.soundfont,
                   "The instruments, a .sf2 or .sf3 file (default: $ETUDE_SOUNDFONT, else one in /usr/share/sounds)")
      ->type_name("FILE");
  command->add_option("--rate", arguments->renderer.rate, "Samples a second, 8000 to 96000")
      ->check(CLI::Range(8'000, 96'000))
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--bars", arguments->excerpt.bars, "Take only the first bars (0: all)")
      ->check(CLI::Range(0, 1'000'000))
      ->type_name("N");
  command->add_option("--seconds", arguments->excerpt.seconds, "Take only the first seconds (0: all)")
      ->check(CLI::Range(0.0, 1e9))
      ->type_name("SECONDS");
  command->add_flag("--force", arguments->force, "Overwrite files that are there");
  command->callback([arguments] {
    arguments->renderer.formats = render::parse_formats(arguments->formats);
    Job(*arguments).run();
  });
}

}  // namespace etude::cli
