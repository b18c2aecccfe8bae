#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/oracle.h"

namespace etude::log {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kCommand = "mpirun --allow-run-as-root --oversubscribe -n 2 '" ETUDE_SHOW_PROGRESS "'";

/// What a shell command writes to a terminal of 90 columns.
std::string on_terminal(const std::string& command) {
  const winsize size{.ws_row = 24, .ws_col = 90, .ws_xpixel = 0, .ws_ypixel = 0};
  int master = -1;
  const pid_t child = forkpty(&master, nullptr, nullptr, &size);
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(127);
  }
  std::string text;
  char buffer[4096];
  for (ssize_t count = 0; (count = read(master, buffer, sizeof buffer)) > 0;) text.append(buffer, std::size_t(count));
  close(master);
  waitpid(child, nullptr, 0);
  return text;
}

TEST(ProgressUnderMpirun, ShowsItsBarOnTheTerminalOfMpirun) {
  if (testing::run_shell("command -v mpirun").exit_code != 0) GTEST_SKIP() << "no mpirun here";
  EXPECT_THAT(on_terminal(kCommand), AllOf(HasSubstr("\r\x1b[K"
                                                     "checkpoint"),
                                           HasSubstr("100%"), HasSubstr("done")));
}

TEST(ProgressUnderMpirun, WritesPlainLinesIntoAFile) {
  if (testing::run_shell("command -v mpirun").exit_code != 0) GTEST_SKIP() << "no mpirun here";
  const testing::ShellResult result = testing::run_shell(kCommand);
  EXPECT_THAT(result.errors, AllOf(HasSubstr("train 0/10  loss 6.20\ncheckpoint\ntrain 10/10  loss 3.21"),
                                   HasSubstr("done\n"), Not(HasSubstr("\x1b"))));
  // The launcher has the terminal, its rank does not.
  EXPECT_THAT(on_terminal("mpirun --allow-run-as-root -n 1 sh -c \"'" ETUDE_SHOW_PROGRESS "' 2>/dev/null\""),
              Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace etude::log
