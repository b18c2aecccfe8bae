#include "framework/run/run_folder.h"

#include <atomic>
#include <csignal>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "framework/config/error.h"
#include "tests/support/oracle.h"

namespace etude::run {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

template <typename Exception>
std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Exception& error) {
    return error.what();
  }
  return "no error";
}

TEST(RunFolder, IsMadeWithItsSubfoldersAndOpenedOnlyWhenItHoldsARun) {
  const testing::TemporaryFolder root;
  const RunFolder folder(root.path() / "runs" / "first");
  EXPECT_THAT(message_of<UsageError>([&] { open_run(folder.root()); }), HasSubstr("first: no such run folder"));
  folder.create();
  folder.create();  // one that is there already is no error: runs are resumed
  EXPECT_TRUE(fs::is_directory(folder.checkpoints()));
  EXPECT_TRUE(fs::is_directory(folder.evaluations()));
  EXPECT_FALSE(folder.exists());
  EXPECT_THAT(message_of<UsageError>([&] { open_run(folder.root()); }), HasSubstr("no config.yaml"));
  std::ofstream(folder.config()) << "name: first\n";
  EXPECT_TRUE(folder.exists());
  EXPECT_EQ(open_run(folder.root()).metrics(), folder.root() / "metrics.jsonl");
}

TEST(RunFolder, WhereNoneCanBeMadeIsNamed) {
  const testing::TemporaryFolder root;
  std::ofstream(root.path() / "file") << "in the way";
  const RunFolder folder(root.path() / "file" / "run");
  EXPECT_THAT(message_of<Error>([&] { folder.create(); }), AllOf(HasSubstr("file/run"), HasSubstr("Not a directory")));
}

TEST(RunLock, RefusesASecondHolderAndIsFreedWithTheFirst) {
  const testing::TemporaryFolder root;
  const RunFolder folder(root.path());
  {
    const RunLock lock(folder);
    const std::string said = message_of<UsageError>([&] { RunLock second(folder); });
    EXPECT_THAT(said, AllOf(HasSubstr(root.path().string()), HasSubstr("process " + std::to_string(getpid()) + ")"),
                            HasSubstr("--set run=")));
  }
  EXPECT_EQ(message_of<Error>([&] { RunLock again(folder); }), "no error");
}

TEST(RunLock, IsSeenFromOutside) {
  const testing::TemporaryFolder root;
  const RunFolder folder(root.path());
  EXPECT_EQ(is_written(folder), std::nullopt);  // no run has ever been here
  {
    const RunLock lock(folder);
    EXPECT_EQ(is_written(folder), true);
  }
  EXPECT_EQ(is_written(folder), false);
}

TEST(RunLock, IsNotRefusedForSomebodyWhoOnlyLooks) {
  const testing::TemporaryFolder root;
  const RunFolder folder(root.path());
  { const RunLock makes_the_file(folder); }
  std::atomic<bool> enough = false;
  std::thread looking([&] {
    while (!enough) is_written(folder);
  });
  for (int run = 0; run < 50; ++run) EXPECT_EQ(message_of<Error>([&] { RunLock lock(folder); }), "no error");
  enough = true;
  looking.join();
}

TEST(RunLock, IsFreedByAHoldersDeathHoweverItDies) {
  const testing::TemporaryFolder root;
  const RunFolder folder(root.path());
  int holding[2];
  ASSERT_EQ(pipe(holding), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const RunLock lock(folder);
    (void)!write(holding[1], "x", 1);
    for (;;) pause();
  }
  char byte = 0;
  ASSERT_EQ(read(holding[0], &byte, 1), 1);
  EXPECT_THAT(message_of<UsageError>([&] { RunLock second(folder); }),
              HasSubstr("process " + std::to_string(child) + ")"));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(message_of<Error>([&] { RunLock second(folder); }), "no error");
  close(holding[0]);
  close(holding[1]);
}

TEST(RunLock, IsNotHandedDownToProgramsThatAreStarted) {
  const testing::TemporaryFolder root;
  const RunFolder folder(root.path());
  {
    const RunLock lock(folder);
    ASSERT_EQ(std::system("sleep 5 >/dev/null 2>&1 &"), 0);
  }
  EXPECT_EQ(message_of<Error>([&] { RunLock second(folder); }), "no error");
}

}  // namespace
}  // namespace etude::run
