#include "launch/command.h"

#include <random>

#include <gmock/gmock.h>

#include "framework/config/error.h"
#include "launch/array.h"
#include "tests/support/oracle.h"

namespace etude::launch {
namespace {

using ::testing::ElementsAre;

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
  EXPECT_EQ(run({"cat"}, 60, much).output, much);
  // Somebody who does not read it is no reason to die.
  EXPECT_EQ(run({"true"}, 60, much).code, 0);
}

TEST(Run, TellsHowAProgramEnded) {
  EXPECT_EQ(run({"sh", "-c", "echo out; echo err >&2; exit 3"}).code, 3);
  EXPECT_EQ(run({"sh", "-c", "echo out; echo err >&2; exit 3"}).complaint(), "err");
  EXPECT_EQ(run({"sh", "-c", "kill -9 $$"}).code, 137);
  EXPECT_EQ(run({"no-such-program-here"}).code, 127);
  EXPECT_EQ(run({"sleep", "60"}, 0.2).code, 124);
  // Not even one that has closed its outputs.
  EXPECT_EQ(run({"sh", "-c", "exec >&- 2>&-; sleep 60"}, 0.2).code, 124);
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

std::vector<std::string> suffixes(const std::vector<std::string>& arrays) {
  std::vector<std::string> found;
  for (const Member& member : members(arrays)) found.push_back(member.suffix);
  return found;
}

TEST(Array, IsARangeOrAList) {
  EXPECT_THAT(suffixes({}), ElementsAre(""));
  EXPECT_THAT(suffixes({"seed=1..3"}), ElementsAre("-seed-1", "-seed-2", "-seed-3"));
  EXPECT_THAT(suffixes({"train.lr=1e-3,3e-4"}), ElementsAre("-lr-1e-3", "-lr-3e-4"));
  EXPECT_THAT(members({"data.transpose.semitones=[-5,6],[0,0]"})[1].assignments,
              ElementsAre("data.transpose.semitones=[0,0]"));
  EXPECT_THAT(suffixes({"seed=1,2", "model.layers=4,8"}),
              ElementsAre("-seed-1-layers-4", "-seed-1-layers-8", "-seed-2-layers-4", "-seed-2-layers-8"));
}

TEST(Array, RefusesWhatMakesNoSense) {
  for (const std::string wrong :
       {"seed", "=1..3", "seed=3..1", "seed=1..5000", "seed=1,,2", "seed=", "seed=1,1", "a=x/y,x y"}) {
    EXPECT_THROW(members({wrong}), UsageError) << wrong;
  }
  EXPECT_THROW(members({"a=1..100", "b=1..100"}), UsageError);
}

}  // namespace
}  // namespace etude::launch
