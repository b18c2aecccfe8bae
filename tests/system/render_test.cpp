// `etude render` as its users call it.
#include <gmock/gmock.h>

#include "tests/system/program.h"

namespace etude::testing {
namespace {

using ::testing::HasSubstr;

class Render : public ::testing::Test {
 protected:
  static std::string corpus(const std::string& book) { return std::string(ETUDE_SOURCE_DIR "/data/corpus/") + book; }
  std::string at(const std::string& name) const { return (folder_.path() / name).string(); }
  bool exists(const std::string& name) const { return std::filesystem::exists(folder_.path() / name); }
  TemporaryFolder folder_;
};

TEST_F(Render, ABookGivesAFileForEachTuneAndFormat) {
  const ShellResult result = etude("render " + corpus("carols.abc") + " --to musicxml --output " + at("out"));
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_TRUE(exists("out/carols-1.musicxml"));
  EXPECT_THAT(slurp(folder_.path() / "out/carols-1.musicxml"), HasSubstr("<score-partwise version=\"4.0\">"));

  const ShellResult again =
      etude("render " + corpus("carols.abc#1") + " --to musicxml --output " + at("out/carols-1.musicxml"));
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_THAT(again.errors, HasSubstr("--force"));
  EXPECT_EQ(etude("render " + corpus("carols.abc#1") + " --force --to musicxml --output " + at("out/carols-1.musicxml"))
                .exit_code,
            0);
}

TEST_F(Render, WhatCannotBeReadIsNamedAndTheRestIsRendered) {
  std::ofstream(folder_.path() / "broken.mid") << "no music";
  std::filesystem::copy_file(corpus("satie.abc"), folder_.path() / "satie.abc");
  const ShellResult result = etude("render " + folder_.path().string() + " --to musicxml");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("broken.mid"));
  EXPECT_THAT(result.output, HasSubstr("satie-1.musicxml"));
  EXPECT_TRUE(exists("satie-1.musicxml"));  // beside the book
}

TEST_F(Render, SaysWhatToDoWhereThereIsNothingToRender) {
  EXPECT_THAT(etude("render " + at("none.mid") + " --to wav").errors, HasSubstr("no such file"));
  EXPECT_THAT(etude("render " + corpus("satie.abc") + " --to ogg").errors, HasSubstr("flac"));
  std::filesystem::create_directory(folder_.path() / "run");
  std::ofstream(folder_.path() / "run/config.yaml") << "name: run\n";
  const ShellResult result = etude("render " + at("run") + " --to musicxml");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("etude evaluate"));
}

TEST_F(Render, ARunsPiecesAreThoseItGenerated) {
  std::filesystem::create_directories(folder_.path() / "run/generated");
  std::ofstream(folder_.path() / "run/config.yaml") << "name: run\n";
  std::filesystem::copy_file(corpus("satie.abc"), folder_.path() / "run/generated/piece.abc");
  const ShellResult result = etude("render " + at("run") + " --to musicxml,wav --seconds 2 --rate 8000");
  if (result.errors.find("fluidr3mono") != std::string::npos) GTEST_SKIP() << result.errors;
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_TRUE(exists("run/generated/piece-1.wav"));
  EXPECT_TRUE(exists("run/generated/piece-1.musicxml"));
}

}  // namespace
}  // namespace etude::testing
