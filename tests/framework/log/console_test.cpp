#include "framework/log/console.h"

#include <limits>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tests/support/oracle.h"

namespace etude::log {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

/// A pseudo-terminal, and what a person would see on it: understands just \r, \n and "erase to the end of the line".
class Terminal {
 public:
  explicit Terminal(unsigned short columns) {
    const winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    int slave = -1;
    if (openpty(&master_, &slave, nullptr, nullptr, &size) != 0) throw std::runtime_error("no pseudo-terminal");
    fcntl(master_, F_SETFL, O_NONBLOCK);
    stream_ = fdopen(slave, "w");
  }
  ~Terminal() {
    std::fclose(stream_);
    close(master_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  std::FILE* stream() { return stream_; }
  void resize(unsigned short columns) {
    const winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    ioctl(master_, TIOCSWINSZ, &size);
  }
  const std::vector<std::string>& lines() {
    char buffer[4096];
    for (ssize_t count = 0; (count = read(master_, buffer, sizeof buffer)) > 0;) take({buffer, std::size_t(count)});
    return lines_;
  }

 private:
  void take(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      std::string& line = lines_.back();
      if (text.substr(i, 3) == "\x1b[K") {
        line.resize(std::min(line.size(), column_));
        i += 2;
      } else if (text[i] == '\r') {
        column_ = 0;
      } else if (text[i] == '\n') {
        lines_.emplace_back();
      } else {
        line.resize(std::max(line.size(), column_ + 1), ' ');
        line[column_++] = text[i];
      }
    }
  }

  int master_ = -1;
  std::FILE* stream_ = nullptr;
  std::vector<std::string> lines_{""};
  std::size_t column_ = 0;
};

class ProgressOnTerminal : public ::testing::Test {
 protected:
  // The bar's characters are decided once in a process.
  static void SetUpTestSuite() { setenv("LC_ALL", "C", 1); }
};

TEST_F(ProgressOnTerminal, OneLineIsRedrawnInPlace) {
  Terminal terminal(100);
  Progress progress("train", 200, terminal.stream());
  progress.update(0, "loss 6.20");
  EXPECT_THAT(terminal.lines(), ElementsAre(MatchesRegex("train   0% -+ 0/200  loss 6.20")));
  progress.update(200, "loss 3.21  norm 0.8");
  EXPECT_THAT(terminal.lines(), ElementsAre(MatchesRegex("train 100% #+ 200/200  loss 3.21  norm 0.8  0.0s left")));
}

TEST_F(ProgressOnTerminal, MessagesStandAboveTheBar) {
  Terminal terminal(100);
  Progress progress("train", 200, terminal.stream());
  progress.update(0, "loss 6.20");
  progress.message(
      "checkpoint at step 50, rather a longer line than the bar itself, so that something would be left over");
  progress.message("short");
  EXPECT_THAT(terminal.lines(), ElementsAre(HasSubstr("left over"), "short", HasSubstr("0/200  loss 6.20")));
  progress.finish("200 steps in 3m20s");
  progress.message("after");
  progress.update(200, "no more");
  EXPECT_THAT(terminal.lines(), ElementsAre(HasSubstr("left over"), "short", "200 steps in 3m20s", "after", ""));
}

TEST_F(ProgressOnTerminal, LeftBehindByAnExceptionTheLastStateStandsOnItsOwnLine) {
  Terminal terminal(100);
  {
    Progress progress("train", 200, terminal.stream());
    progress.update(1, "loss 6.20");
    progress.tick(7);  // too soon to be drawn by itself
  }
  std::fputs("etude: error: no space left\n", terminal.stream());
  std::fflush(terminal.stream());
  EXPECT_THAT(terminal.lines(), ElementsAre(HasSubstr(" 7/200  loss 6.20"), HasSubstr("no space left"), ""));
}

TEST_F(ProgressOnTerminal, FollowsTheWidthOfTheWindow) {
  Terminal terminal(120);
  Progress progress("train", 200, terminal.stream());
  progress.update(0, "loss 6.20");
  const std::size_t wide = terminal.lines().back().size();
  terminal.resize(40);
  progress.message("");  // redraws
  EXPECT_LT(terminal.lines().back().size(), 40U);
  EXPECT_GT(wide, 40U);
}

TEST(Progress, ElsewhereOnePlainLinePerLoggingStep) {
  const testing::TemporaryFolder folder;
  std::FILE* file = std::fopen((folder.path() / "out").c_str(), "w");
  {
    Progress progress("train", 2000, file, 1000);
    progress.tick(1005);
    progress.update(1010, "loss 6.20");
    progress.tick(1015);
    progress.message("checkpoint");
    progress.update(2000, "loss 5.90");
    progress.finish("done");
  }
  std::fclose(file);
  EXPECT_THAT(testing::slurp(folder.path() / "out"),
              MatchesRegex("train 1010/2000  loss 6.20  [^\n]+ left\ncheckpoint\n"
                           "train 2000/2000  loss 5.90  0.0s left\ndone\n"));
}

TEST(Progress, OtherRanksAreSilent) {
  Progress progress("train", 10, nullptr);
  progress.tick(1);
  progress.update(2, "loss");
  progress.message("message");
  progress.finish("done");
}

TEST(ProgressLine, NeverWiderThanAsked) {
  for (int columns = 1; columns < 150; ++columns) {
    const std::string line = progress_line("train", 84, 200, "loss 3.21  norm 0.8  lr 3.0e-4", 83, columns, false);
    EXPECT_LE(line.size(), static_cast<std::size_t>(columns));
  }
}

TEST(ProgressLine, TheBarGivesWayBeforeTheFigures) {
  constexpr double kUnknown = std::numeric_limits<double>::infinity();
  EXPECT_EQ(progress_line("train", 5, 10, "loss 3.21", kUnknown, 35, false), "train  50% ####---- 5/10  loss 3.21");
  EXPECT_EQ(progress_line("train", 5, 10, "loss 3.21", kUnknown, 34, false), "train  50% 5/10  loss 3.21");
  EXPECT_EQ(progress_line("train", 5, 10, "loss 3.21", kUnknown, 20, false), "train  50% 5/10  los");
}

TEST(ProgressLine, SaysOneHundredOnlyWhenAllIsDone) {
  EXPECT_THAT(progress_line("x", 9999, 10000, "", 1, 80, true),
              AllOf(HasSubstr(" 99%"), HasSubstr("━"), HasSubstr("─")));
  EXPECT_THAT(progress_line("x", 10000, 10000, "", 0, 80, true), AllOf(HasSubstr("100%"), Not(HasSubstr("─"))));
}

}  // namespace
}  // namespace etude::log
