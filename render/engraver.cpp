#include "render/engraver.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/config/error.h"
#include "framework/files/files.h"
#include "render/program.h"

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

void run(const std::vector<std::string>& command, const fs::path& folder, double seconds, const fs::path& made) {
  const ProgramResult result = run_program(command, folder, seconds);
  if (result.timed_out) {
    throw Error(fmt::format("{} was not done after {:.0f} seconds and was ended; --bars takes fewer measures",
                            command.front(), seconds));
  }
  if (result.exit_code == 0 && fs::exists(made)) return;
  throw Error(
      fmt::format("{} failed (exit code {}):\n  {}", command.front(), result.exit_code, last_lines(result.output, 12)));
}

}  // namespace

Engraver Engraver::find() {
  Engraver engraver;
  engraver.program_ = find_program("lilypond");
  engraver.converter_ = find_program("musicxml2ly");
  engraver.name_ = "LilyPond";
  if (!engraver.program_.empty() && !engraver.converter_.empty()) return engraver;
  engraver.converter_.clear();
  engraver.name_ = "MuseScore";
  for (const char* name : {"mscore", "musescore", "mscore4portable", "musescore4", "mscore3", "musescore3"}) {
    engraver.program_ = find_program(name);
    if (!engraver.program_.empty()) return engraver;
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
    run({program_.string(), "-o", "score.pdf", "score.musicxml"}, folder.path(), seconds, pdf);
  } else {
    run({converter_.string(), "--no-beaming", "--output=score.ly", "score.musicxml"}, folder.path(), seconds,
        folder.path() / "score.ly");
    run({program_.string(), "-dno-point-and-click", "--loglevel=WARNING", "--output=score", "score.ly"}, folder.path(),
        seconds, pdf);
  }
  return files::read(pdf);
}

}  // namespace etude::render
