// `etude watch` in a pseudo-terminal, whose screen an emulator of terminals draws. What each case claims stands in
// check.py.
#include <filesystem>

#include <gtest/gtest.h>

#include "tests/support/oracle.h"

namespace etude::testing {
namespace {

void in_a_terminal(const std::string& claim) {
  const std::string emulator = ETUDE_SOURCE_DIR "/.deps/oracle-watch";
  if (!oracle_python() || !std::filesystem::exists(emulator + "/made-from")) {
    GTEST_SKIP() << "no emulator of terminals here: script/setup --test installs pyte";
  }
  const ShellResult checked =
      run_shell("PYTHONPATH='" + emulator + "' timeout -k 5 100 '" + *oracle_python() +
                "' -B " ETUDE_SOURCE_DIR "/tests/report/watch/check.py " + claim + " " ETUDE_BINARY_DIR "/etude watch");
  EXPECT_EQ(checked.exit_code, 0) << checked.output << checked.errors;
}

TEST(Watch, FollowsARunFromBeforeItsStartToItsEnd) { in_a_terminal("live"); }
TEST(Watch, TellsStoppedDeadAndRemovedRunsApart) { in_a_terminal("states"); }
TEST(Watch, FitsWindowsOfAnySize) { in_a_terminal("sizes"); }
TEST(Watch, RestoresTheTerminalHoweverItEnds) { in_a_terminal("restores"); }
TEST(Watch, GivesTheTerminalBackWhileSuspended) { in_a_terminal("suspended"); }
TEST(Watch, WritesLittle) { in_a_terminal("quiet"); }
TEST(Watch, PrintsLinesWhereThereIsNoTerminal) { in_a_terminal("plain"); }
TEST(Watch, PrintsOneFrame) { in_a_terminal("once"); }
TEST(Watch, ShowsSeveralRunsAsATable) { in_a_terminal("several"); }
TEST(Watch, ObeysNothingThatARunSays) { in_a_terminal("hostile"); }

}  // namespace
}  // namespace etude::testing
