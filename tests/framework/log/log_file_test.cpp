#include "framework/log/log_file.h"

#include <memory>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/config/error.h"
#include "tests/support/oracle.h"

namespace etude::log {
namespace {

using ::testing::MatchesRegex;
using testing::slurp;

/// A console that a test can read.
struct Console {
  testing::TemporaryFolder folder;
  std::FILE* stream = std::fopen((folder.path() / "console").c_str(), "w");
  ~Console() { std::fclose(stream); }
  std::string text() const { return slurp(folder.path() / "console"); }
};

TEST(LogFile, FileHasTimeAndLevelConsoleIsPlain) {
  Console console;
  const auto file = console.folder.path() / "log.txt";
  {
    LogFile log(file, console.stream);
    log.debug("bucket 3: 25 MiB");
    log.info("packed 12 pieces");
    log.warning("two\nlines");
  }
  LogFile(file, nullptr).error("later");
  const std::string time = "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3} [+-][0-9]{4}  ";
  EXPECT_THAT(slurp(file), MatchesRegex(time + "debug    bucket 3: 25 MiB\n" + time + "info     packed 12 pieces\n" +
                                        time + "warning  two\n    lines\n" + time + "error    later\n"));
  EXPECT_EQ(console.text(), "packed 12 pieces\nwarning: two\nlines\n");
}

TEST(LogFile, OtherRanksAreSilent) {
  LogFile log("", nullptr);
  log.error("heard by nobody");
}

TEST(LogFile, MessagesPassThroughTheProgressShown) {
  Console console;
  LogFile log("", console.stream);
  {
    Progress progress("train", 10, console.stream);
    log.show_above(&progress);
    log.info("checkpoint at 5");
    log.show_above(nullptr);
  }
  log.info("done");
  EXPECT_EQ(console.text(), "checkpoint at 5\ndone\n");
}

TEST(LogFile, LinesOfSeveralThreadsStayWhole) {
  Console console;
  const auto file = console.folder.path() / "log.txt";
  LogFile log(file, nullptr);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&log] {
      for (int i = 0; i < 200; ++i) log.info(std::string(100, 'x'));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::istringstream text(slurp(file));
  std::string line;
  int lines = 0;
  for (; std::getline(text, line); ++lines) ASSERT_TRUE(line.ends_with("info     " + std::string(100, 'x')));
  EXPECT_EQ(lines, 800);
}

TEST(LogFile, AMissingFolderIsAnError) { EXPECT_THROW(LogFile("/nonexistent/log.txt", nullptr), Error); }

}  // namespace
}  // namespace etude::log
