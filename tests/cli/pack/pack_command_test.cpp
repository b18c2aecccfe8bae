// The command as a person types it.
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/oracle.h"

namespace etude {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
namespace fs = std::filesystem;

constexpr const char* kCorpus = ETUDE_SOURCE_DIR "/data/corpus";
const std::string kProgram = ETUDE_BINARY_DIR "/etude";

class PackCommand : public ::testing::Test {
 protected:
  testing::ShellResult pack(const std::string& arguments, const std::string& environment = "") const {
    return testing::run_shell("cd '" + path().string() + "' && " + environment + " " + kProgram + " pack " + arguments);
  }
  const fs::path& path() const { return folder_.path(); }
  std::vector<std::string> left_behind() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(path())) names.push_back(entry.path().filename().string());
    return names;
  }
  testing::TemporaryFolder folder_;
};

TEST_F(PackCommand, PacksTheBuiltInCorpusIntoThreeSplits) {
  const auto result = pack(std::string("--input ") + kCorpus + " --output out");
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const auto manifest = nlohmann::json::parse(testing::slurp(path() / "out" / "pack.json"));
  for (const auto& split : manifest["splits"]) {
    EXPECT_GE(split["pieces"], 3) << split["name"];
    EXPECT_TRUE(fs::exists(path() / "out" / split["file"].get<std::string>()));
  }
  EXPECT_THAT(manifest["skipped"], IsEmpty());
  EXPECT_THAT(result.errors, Not(HasSubstr("\x1b"))) << "no terminal, no escapes";
}

TEST_F(PackCommand, AddsTransposedCopiesWhereAsked) {
  const auto result = pack(std::string("--input ") + kCorpus +
                           " --output out --format pt --transpose -1..1 --transpose-where composer=chopin");
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  for (const auto& piece : nlohmann::json::parse(testing::slurp(path() / "out" / "pack.json"))["pieces"]) {
    if (piece["transposed"] == 0) continue;
    EXPECT_THAT(piece["composer"].get<std::string>(), HasSubstr("Chopin"));
    EXPECT_EQ(piece["split"], "train");
  }
}

TEST_F(PackCommand, ListsWhatIsNotMusicAndGoesOn) {
  fs::create_directories(path() / "in");
  fs::copy(kCorpus, path() / "in", fs::copy_options::recursive);
  std::ofstream(path() / "in" / "page.mid") << "<html>404</html>";
  const auto result = pack("--input in --output out");
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.errors, AllOf(HasSubstr("1 could not be read"), HasSubstr("page.mid: "), HasSubstr("byte 0")));
  const auto manifest = nlohmann::json::parse(testing::slurp(path() / "out" / "pack.json"));
  EXPECT_EQ(manifest["skipped"][0]["file"], "page.mid");
}

TEST_F(PackCommand, EndsWithOneWhenNothingCouldBeReadAndWithTwoWhenMisused) {
  fs::create_directories(path() / "in");
  std::ofstream(path() / "in" / "bad.mid") << "nothing";
  EXPECT_EQ(pack("--input in --output out").exit_code, 1);
  for (const char* misuse :
       {"--input nowhere --output out", "--input in", "--input in --output in", "--output out",
        "--input in --output out --format mp3", "--input in --output out --transpose 5",
        "--input in --output out --transpose 6..-5", "--input in --output out --transpose-where chopin",
        "--input in --output out --test 1.5", "--input in --output out --tokenizer morse",
        "--input in --output out --labels nowhere.csv", "--input in --output out --threads -1"}) {
    const auto result = pack(misuse);
    EXPECT_EQ(result.exit_code, 2) << misuse << "\n" << result.errors;
    EXPECT_FALSE(result.errors.empty()) << misuse;
  }
  EXPECT_THAT(left_behind(), ::testing::ElementsAre("in"));
}

TEST_F(PackCommand, LeavesNothingWhenInterrupted) {
  // Enough music that it is still at it when the signal comes.
  fs::create_directories(path() / "in");
  for (int i = 0; i < 300; ++i) {
    fs::copy(kCorpus, path() / "in" / std::to_string(i), fs::copy_options::recursive);
  }
  const auto result =
      testing::run_shell("cd '" + path().string() + "'; " + kProgram +
                         " pack --input in --output out & pid=$!; "
                         "while ! ls -A | grep -q out; do sleep 0.01; done; kill -TERM $pid; wait $pid");
  EXPECT_EQ(result.exit_code, 130) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("interrupted; nothing was written"));
  EXPECT_THAT(left_behind(), ::testing::ElementsAre("in"));
}

TEST_F(PackCommand, SaysWhenTheDiskIsFull) {
  // A limit on the size of files stands in for a full disk; its signal is ignored, so that the write fails.
  const auto result = testing::run_shell("cd '" + path().string() + "'; trap '' XFSZ; ulimit -f 8; " + kProgram +
                                         " pack --input " + kCorpus + " --output out");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("cannot be written"));
  EXPECT_THAT(left_behind(), IsEmpty());
}

}  // namespace
}  // namespace etude
