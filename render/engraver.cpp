#include "render/engraver.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/config/error.h"
#include "framework/files/files.h"
#include "framework/process/run.h"

namespace etude::render {
namespace {

namespace fs = std::filesystem;

/// A folder of its own, removed with the object.
class WorkFolder {
 public:
  WorkFolder() {
    std::string pattern = (fs::temp_directory_path() / "etude-score-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw Error("cannot make a folder in " + fs::temp_directory_path().string());
    path_ = pattern;
  }
  ~WorkFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string last_lines(const std::string& text, std::size_t count) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  if (lines.size() > count) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(count));
  return fmt::format("{}", fmt::join(lines, "\n  "));
}

void make(const fs::path& made, const process::Command& command, const fs::path& folder, double seconds) {
  const process::Outcome outcome =
      process::run(command, {.seconds = seconds, .folder = folder, .with_descendants = true});
  if (outcome.code == 0 && fs::exists(made)) return;
  if (outcome.code == process::Outcome::kOutOfTime) {
    throw Error(fmt::format("{} was not done after {:.0f} seconds and was ended; --bars takes fewer measures",
                            command.front(), seconds));
  }
  throw Error(fmt::format("{} failed (exit code {}):\n  {}", command.front(), outcome.code,
                          last_lines(outcome.output + outcome.errors, 12)));
}

}  // namespace

Engraver Engraver::find() {
  Engraver engraver;
  const auto lilypond = process::find_program("lilypond"), converter = process::find_program("musicxml2ly");
  if (lilypond && converter) {
    engraver.program_ = *lilypond;
    engraver.converter_ = *converter;
    engraver.name_ = "LilyPond";
    return engraver;
  }
  engraver.name_ = "MuseScore";
  for (const char* name : {"mscore", "musescore", "mscore4portable", "musescore4", "mscore3", "musescore3"}) {
    if (const auto program = process::find_program(name)) {
      engraver.program_ = *program;
      return engraver;
    }
  }
  throw UsageError(
      "a PDF is made by LilyPond or MuseScore, and neither is on PATH; install the package lilypond or musescore3, or "
      "take --to musicxml and open that");
}

std::string Engraver::engrave(const std::string& musicxml, double seconds) const {
  const WorkFolder folder;
  const fs::path source = folder.path() / "score.musicxml", pdf = folder.path() / "score.pdf";
  files::write_atomically(source, musicxml);
  if (converter_.empty()) {
    ::setenv("QT_QPA_PLATFORM", "offscreen", 0);  // it wants a screen, even for this
    make(pdf, {program_.string(), "-o", "score.pdf", "score.musicxml"}, folder.path(), seconds);
  } else {
    make(folder.path() / "score.ly", {converter_.string(), "--no-beaming", "--output=score.ly", "score.musicxml"},
         folder.path(), seconds);
    make(pdf, {program_.string(), "-dno-point-and-click", "--loglevel=WARNING", "--output=score", "score.ly"},
         folder.path(), seconds);
  }
  return files::read(pdf);
}

}  // namespace etude::render
