#include "framework/process/run.h"

#include <filesystem>
#include <random>

#include <gmock/gmock.h>

#include "tests/support/oracle.h"

namespace etude::process {
namespace {

TEST(Run, HandsArgumentsOverAsTheyAre) {
  const std::vector<std::string> odd{"$(touch /tmp/x)", "`id`", "a b", "'", "\"", "new\nline", "", "*", "-n", "\\"};
  Command command{"printf", "%s|"};
  command.insert(command.end(), odd.begin(), odd.end());
  std::string expected;
  for (const std::string& word : odd) expected += word + "|";
  EXPECT_EQ(run(command).output, expected);
}

TEST(Run, CarriesMuchInBothDirectionsAtOnce) {
  const std::string much(5'000'000, 'x');
  EXPECT_EQ(run({"cat"}, {.seconds = 60, .input = much}).output, much);
  // Somebody who does not read it is no reason to die.
  EXPECT_EQ(run({"true"}, {.seconds = 60, .input = much}).code, 0);
}

TEST(Run, TellsHowAProgramEnded) {
  EXPECT_EQ(run({"sh", "-c", "echo out; echo err >&2; exit 3"}).code, 3);
  EXPECT_EQ(run({"sh", "-c", "echo out; echo err >&2; exit 3"}).complaint(), "err");
  EXPECT_EQ(run({"sh", "-c", "kill -9 $$"}).code, 137);
  EXPECT_EQ(run({"no-such-program-here"}).code, 127);
  EXPECT_EQ(run({"sleep", "60"}, {.seconds = 0.2}).code, 124);
  // Not even one that has closed its outputs.
  EXPECT_EQ(run({"sh", "-c", "exec >&- 2>&-; sleep 60"}, {.seconds = 0.2}).code, 124);
}

TEST(Run, KeepsTheLastOfWhatIsSaidWithoutEnd) {
  const Outcome outcome = run({"sh", "-c", "yes early | head -c 600000; echo late"}, {.most = 1000});
  EXPECT_LT(outcome.output.size(), 2001U);
  EXPECT_THAT(outcome.output, ::testing::EndsWith("early\nlate\n"));
}

TEST(Run, IsInTheFolderThatWasSaid) {
  testing::TemporaryFolder folder;
  EXPECT_EQ(run({"pwd", "-P"}, {.folder = folder.path()}).output,
            std::filesystem::canonical(folder.path()).string() + "\n");
}

TEST(Run, EndsWhatAProgramThatHangsHasStarted) {
  testing::TemporaryFolder folder;
  const Outcome outcome = run({"sh", "-c", "echo $$ > pid; sleep 300 & wait"},
                              {.seconds = 1, .folder = folder.path(), .with_descendants = true});
  EXPECT_EQ(outcome.code, Outcome::kOutOfTime);
  const std::string group = std::to_string(std::stoi(testing::slurp(folder.path() / "pid")));
  // What is left of the group has ended and waits for init to take note.
  EXPECT_EQ(testing::run_shell("ps -e -o pgid= -o stat= | grep -w '^ *" + group + "' | grep -v Z").output, "");
}

TEST(FindProgram, LooksWhereTheShellDoes) {
  EXPECT_EQ(find_program("sh").value_or("") + "\n", testing::run_shell("command -v sh").output);
  EXPECT_EQ(find_program("no-such-program-here"), std::nullopt);
  EXPECT_EQ(find_program("/tmp"), std::nullopt);
}

TEST(ShellWord, IsReadByTheShellAsItWas) {
  std::mt19937 random(1);
  std::vector<std::string> words{"",  "plain", "-n", "$(touch x)", "`id`", "'", "''",    "a'b",   "\\", "\n",
                                 "~", "#",     "*",  "!",          "a=b",  "é", "$HOME", "&& ls", "\t"};
  for (int i = 0; i < 200; ++i) {
    std::string word;
    for (auto length = random() % 12; length > 0; --length) word += static_cast<char>(1 + random() % 255);
    words.push_back(word);
  }
  for (const char* shell : {"sh", "bash"}) {
    for (const std::string& word : words) {
      const Outcome said = run({shell, "-c", "printf '%s|' " + shell_word(word)});
      EXPECT_EQ(said.output, word + "|") << shell;
    }
    EXPECT_EQ(run({shell, "-c", "printf '%s|' " + shell_line({"a b", "$c"})}).output, "a b|$c|");
  }
}

}  // namespace
}  // namespace etude::process
