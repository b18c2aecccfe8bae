// PDFs by LilyPond, and what is said where a program is missing, fails or hangs.
#include "render/engraver.h"

#include <chrono>
#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <unistd.h>

#include "data/midi/midi.h"
#include "framework/config/error.h"
#include "framework/process/command.h"
#include "render/musicxml.h"
#include "render/renderer.h"
#include "tests/render/support.h"
#include "tests/support/oracle.h"

namespace etude::render {
namespace {

using ::testing::HasSubstr;
using testing::kTicks;
using testing::piano;

/// $PATH for the time of a test.
class Path {
 public:
  explicit Path(const std::string& value) : before_(std::getenv("PATH")) { ::setenv("PATH", value.c_str(), 1); }
  ~Path() { ::setenv("PATH", before_.c_str(), 1); }
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;

 private:
  std::string before_;
};

void write_program(const std::filesystem::path& file, const std::string& script) {
  std::ofstream(file) << "#!/bin/sh\n" << script;
  std::filesystem::permissions(file, std::filesystem::perms::owner_all);
}

TEST(Engraver, LilyPondMakesPagesOfASonataMovement) {
  if (!process::find_program("lilypond") || !process::find_program("pdftotext")) {
    GTEST_SKIP() << "no LilyPond or no pdftotext: script/setup --test installs them";
  }
  data::Score score = piano({});
  score.title = "Sonatina";
  for (int i = 0; i < 32; ++i) score.tracks[0].notes.push_back({i * kTicks / 2, kTicks / 2, 60 + i % 12, 80});
  for (int i = 0; i < 4; ++i) score.tracks[0].notes.push_back({i * 4 * kTicks, 4 * kTicks, 43, 80});
  testing::TemporaryFolder folder;
  const auto pdf = folder.path() / "page.pdf";
  std::ofstream(pdf, std::ios::binary) << Engraver::find().engrave(to_musicxml(notate(score)));
  const auto text = testing::run_shell("pdftotext " + pdf.string() + " -");
  EXPECT_THAT(text.output, HasSubstr("Sonatina"));
  EXPECT_THAT(text.output, HasSubstr("= 120"));
}

TEST(Engraver, KeepsTheMusicXmlWhereNoneIsInstalled) {
  testing::TemporaryFolder folder;
  const Path nowhere(folder.path().string());
  EXPECT_THROW(Engraver::find(), UsageError);
  const Renderer renderer({{Format::kPdf}, {}});
  try {
    renderer.write(piano({{0, kTicks, 60, 80}}), folder.path() / "op. 1");
    FAIL() << "made a PDF of nothing";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("lilypond"));
    EXPECT_THAT(error.what(), HasSubstr("op. 1.musicxml"));
  }
  EXPECT_THAT(testing::slurp(folder.path() / "op. 1.musicxml"), HasSubstr("score-partwise"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "op. 1.pdf"));
}

TEST(Engraver, SaysWhatAProgramThatFailedHadToSay) {
  testing::TemporaryFolder folder;
  write_program(folder.path() / "mscore", "echo the staff is bent >&2\nexit 3\n");
  const Path only(folder.path().string());
  try {
    Engraver::find().engrave("<score-partwise/>");
    FAIL() << "made a PDF";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("the staff is bent"));
    EXPECT_THAT(error.what(), HasSubstr("exit code 3"));
  }
}

TEST(Formats, AreNamedWhenOneIsUnknown) {
  EXPECT_EQ(parse_formats("wav,pdf,wav"), (std::vector{Format::kWav, Format::kPdf}));
  try {
    parse_formats("wav,ogg");
    FAIL() << "knows ogg";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("musicxml"));
  }
}

}  // namespace
}  // namespace etude::render
