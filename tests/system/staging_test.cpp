// `--stage`: a node reads its own copy of the pack, made once, and nothing else is different.
#include <gmock/gmock.h>

#include "tests/system/program.h"

namespace etude::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

constexpr int kSteps = 20;

class Staging : public ::testing::Test {
 protected:
  fs::path disk() const { return shop_.path() / "disk"; }
  std::string train(const std::string& name, int steps = kSteps, const std::string& more = "") const {
    return shop_.train(name, steps, "--stage " + disk().string() + " " + more);
  }
  /// The only copy there is.
  fs::path copy() const {
    const auto first = fs::directory_iterator(disk());
    return first == fs::directory_iterator() ? fs::path() : first->path();
  }
  std::string log(const std::string& name) const { return slurp(shop_.run(name) / "log.txt"); }

  Workshop shop_;
};

TEST_F(Staging, CopiesOnceForAllRanksOfANodeUsesItAgainAndMakesADamagedCopyAnew) {
  ETUDE_NEEDS_MPIRUN();
  ASSERT_EQ(etude(shop_.train("unstaged", kSteps)).exit_code, 0);
  const ShellResult first = etude_on(2, train("first"));
  ASSERT_EQ(first.exit_code, 0) << first.errors;
  EXPECT_THAT(log("first"), AllOf(HasSubstr("copied to 1 node,"), HasSubstr(copy().string())));
  EXPECT_EQ(run_shell("diff -r " + shop_.pack().string() + " " + copy().string()).exit_code, 0);

  ASSERT_EQ(etude_on(2, train("second")).exit_code, 0);
  EXPECT_THAT(log("second"), AllOf(HasSubstr("found whole on 1 node,"), Not(HasSubstr("copied"))));

  fs::resize_file(copy() / "train.h5", fs::file_size(copy() / "train.h5") / 2);
  ASSERT_EQ(etude_on(2, train("third")).exit_code, 0);
  EXPECT_THAT(log("third"), AllOf(HasSubstr("damaged"), HasSubstr("train.h5"), HasSubstr("copied to 1 node,")));

  for (const char* name : {"first", "second", "third"}) {
    EXPECT_TRUE(shop_.weights(name) == shop_.weights("unstaged")) << name;
    EXPECT_THAT(slurp(shop_.run(name) / "config.yaml"),
                AllOf(HasSubstr(shop_.pack().string()), Not(HasSubstr(disk().string()))))
        << "the run can only be evaluated where that node's disk is";
  }
}

TEST_F(Staging, ReadsTheCopyAndNotTheOriginal) {
  Background run(etude_program() + " " + train("run", 100'000));
  ASSERT_TRUE(eventually([&] { return last_step(shop_.run("run")) >= 1; }));
  const std::string open_files = run_shell("cat /proc/[0-9]*/maps; ls -l /proc/[0-9]*/fd").output;
  EXPECT_THAT(open_files, HasSubstr(copy().string() + "/train.h5"));
  EXPECT_THAT(open_files, Not(HasSubstr(shop_.pack().string() + "/train.h5")));
}

TEST_F(Staging, MayBeginAndEndBetweenACheckpointAndTheNextStart) {
  ASSERT_EQ(etude(shop_.train("unstaged", kSteps)).exit_code, 0);
  const std::string no_time = "--set train.time_limit=0.0001 --resume";
  ASSERT_EQ(etude(train("run", kSteps, no_time)).exit_code, 75);
  ASSERT_EQ(etude(shop_.train("run", kSteps, no_time)).exit_code, 75);
  ASSERT_EQ(etude(train("run", kSteps, "--resume")).exit_code, 0);
  EXPECT_TRUE(shop_.weights("run") == shop_.weights("unstaged"));
}

TEST_F(Staging, OfSeveralJobsOnANodeAtOnceIsDoneByOneOfThem) {
  std::vector<std::string> names{"a", "b", "c"};
  {
    std::vector<std::unique_ptr<Background>> jobs;
    for (const auto& name : names) jobs.push_back(std::make_unique<Background>(etude_program() + " " + train(name)));
    for (const auto& job : jobs) EXPECT_EQ(job->wait(), 0);
  }
  int copied = 0;
  for (const auto& name : names) copied += log(name).find("copied to 1 node") != std::string::npos ? 1 : 0;
  EXPECT_EQ(copied, 1);
  EXPECT_TRUE(shop_.weights("a") == shop_.weights("b") && shop_.weights("b") == shop_.weights("c"));
  EXPECT_EQ(std::distance(fs::directory_iterator(disk()), fs::directory_iterator()), 1);
}

TEST_F(Staging, WithoutRoomSaysHowMuchItTakesAndLeavesNothing) {
  fs::create_directories(disk());
  const auto with_disk_of = [&](const std::string& options, const std::string& command) {
    return run_shell("unshare --mount sh -c 'mount -t tmpfs -o " + options + " etude-test " + disk().string() +
                     " && { " + command + "; }'");
  };
  if (with_disk_of("size=64k", "true").exit_code != 0) {
    GTEST_SKIP() << "no disk can be mounted here (it takes root and unshare)";
  }
  const std::string train_and_list =
      etude_program() + " " + train("run") + "; code=$?; ls -A " + disk().string() + "; exit $code";
  const ShellResult full = with_disk_of("size=64k", train_and_list);
  EXPECT_EQ(full.exit_code, 1);
  EXPECT_THAT(full.errors,
              AllOf(HasSubstr(disk().string()), HasSubstr("64.0 KiB are free"), HasSubstr("another disk")));
  EXPECT_EQ(full.output, "") << "half a copy is left";

  // Room for the bytes, but not for the number of files: what only writing can tell.
  const ShellResult crowded = with_disk_of("size=64m,nr_inodes=4", train_and_list);
  EXPECT_EQ(crowded.exit_code, 1);
  EXPECT_THAT(crowded.errors, AllOf(HasSubstr(disk().string()), HasSubstr("No space left on device")));
  EXPECT_EQ(crowded.output, "") << "half a copy is left";

  const ShellResult read_only = with_disk_of("size=64m,ro", train_and_list);
  EXPECT_EQ(read_only.exit_code, 1);
  EXPECT_THAT(read_only.errors, AllOf(HasSubstr(disk().string()), HasSubstr("Read-only file system")));
  EXPECT_FALSE(fs::exists(shop_.run("run") / "checkpoints" / "last"));
}

}  // namespace
}  // namespace etude::testing
