// A disk that is full, read-only or forgetful: the error names the file, and nothing that was saved is lost.
#include <gmock/gmock.h>

#include "tests/system/program.h"

namespace etude::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kSteps = 40;

/// Runs a shell script in which `disk` is a small disk of its own; it is gone with the script.
ShellResult with_small_disk(const std::filesystem::path& disk, const std::string& script) {
  std::filesystem::create_directories(disk);
  std::ofstream(disk / "script.sh") << script;
  const std::string file = (disk.parent_path() / "script.sh").string();
  std::filesystem::rename(disk / "script.sh", file);
  return run_shell("unshare --mount sh -c 'mount -t tmpfs -o size=1300k etude-test " + disk.string() + " && . " + file +
                   "'");
}

bool can_mount() {
  const TemporaryFolder folder;
  return with_small_disk(folder.path() / "disk", "true").exit_code == 0;
}

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  return names;
}

class Disk : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!can_mount()) GTEST_SKIP() << "no disk can be mounted here (it takes root and unshare)";
    ASSERT_EQ(etude(shop_.train("undisturbed", kSteps)).exit_code, 0);
  }
  std::string disk() const { return shop_.path() / "disk"; }
  /// A checkpoint takes 0.45 MB, so that two have room and a third has not.
  std::string train(const std::string& more = "") const {
    return etude_program() + " " +
           shop_.train("full", kSteps, "--set checkpoint.every=10 --set run=" + disk() + "/run " + more);
  }
  /// Takes what is of interest from the disk before it is gone.
  std::string keep(const std::string& name) const {
    return "cp -a " + disk() + "/run " + shop_.run(name).string() + "\n";
  }

  Workshop shop_;
};

TEST_F(Disk, FullWhileACheckpointIsWrittenKeepsTheEarlierOnesAndGoesOnWhenThereIsRoom) {
  const ShellResult result =
      with_small_disk(disk(), train() + "\ncode=$?\n" + keep("kept") + "mount -o remount,size=9m " + disk() + "\n" +
                                  train("--resume") + " && " + keep("resumed") + "exit $code\n");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, AllOf(HasSubstr("run/checkpoints/step-00000030"), HasSubstr("No space left on device"),
                                   HasSubstr("free some space"), HasSubstr("--resume")));
  EXPECT_THAT(names_in(shop_.run("kept") / "checkpoints"),
              ::testing::UnorderedElementsAre("step-00000010", "step-00000020", "last"))
      << "half a checkpoint is left, or a whole one is lost";
  EXPECT_EQ(etude("inspect " + (shop_.run("kept") / "checkpoints" / "last").string()).exit_code, 0);
  EXPECT_THAT(result.errors, HasSubstr("resumed at step 20"));
  EXPECT_TRUE(shop_.weights("resumed") == shop_.weights("undisturbed"));
}

TEST_F(Disk, FullOfOtherThingsEndsTheRunWithTheNameOfTheFileAndLosesNothing) {
  const ShellResult result = with_small_disk(
      disk(), train("--set train.time_limit=0.0001") + "\nhead -c 9m /dev/zero > " + disk() + "/filler\n" +
                  train("--resume") + "\ncode=$?\nrm " + disk() + "/filler\nmount -o remount,size=9m " + disk() + "\n" +
                  train("--resume") + " && " + keep("resumed") + "exit $code\n");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, AllOf(HasSubstr(disk() + "/run/"), HasSubstr("No space left on device")));
  EXPECT_TRUE(shop_.weights("resumed") == shop_.weights("undisturbed"));
}

TEST_F(Disk, ReadOnlyIsRefusedWithTheNameOfTheFile) {
  const ShellResult result =
      with_small_disk(disk(), train("--set train.time_limit=0.0001") + "\nmount -o remount,ro " + disk() + "\n" +
                                  train("--resume") + "\ncode=$?\nmount -o remount,rw,size=9m " + disk() + "\n" +
                                  train("--resume") + " && " + keep("resumed") + "exit $code\n");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, AllOf(HasSubstr(disk() + "/run/"), HasSubstr("Read-only file system")));
  EXPECT_TRUE(shop_.weights("resumed") == shop_.weights("undisturbed"));
}

TEST(DamagedCheckpoint, WhicheverFileIsCutOrHasOneBitFlippedIsNamedAndTheOneBeforeIsTaken) {
  const Workshop shop;
  ASSERT_EQ(etude(shop.train("undisturbed", 20)).exit_code, 0);
  const std::string command = shop.train("run", 20, "--set checkpoint.every=10 --set evaluate.every=0");
  ASSERT_EQ(etude(command).exit_code, 0);
  const std::filesystem::path run = shop.run("run"), spare = shop.run("spare");
  std::filesystem::copy(run, spare,
                        std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
  for (const char* file :
       {"model.safetensors", "optimizer.safetensors", "state.json", "config.json", "manifest.json"}) {
    for (const bool cut : {true, false}) {
      SCOPED_TRACE(std::string(file) + (cut ? " cut" : " with one bit flipped"));
      std::filesystem::remove_all(run);
      std::filesystem::copy(spare, run,
                            std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
      const auto damaged = run / "checkpoints" / "step-00000020" / file;
      const auto middle = std::filesystem::file_size(damaged) / 2;
      if (cut) {
        std::filesystem::resize_file(damaged, middle);
      } else {
        std::fstream stream(damaged, std::ios::in | std::ios::out | std::ios::binary);
        stream.seekg(static_cast<std::streamoff>(middle));
        const char bit = static_cast<char>(stream.get() ^ 0x20);
        stream.seekp(static_cast<std::streamoff>(middle));
        stream.put(bit);
      }
      const ShellResult resumed = etude(command + " --resume");
      ASSERT_EQ(resumed.exit_code, 0) << resumed.errors;
      EXPECT_THAT(resumed.errors,
                  AllOf(HasSubstr("step-00000020/" + std::string(file)), HasSubstr("resumed at step 10")));
      EXPECT_TRUE(std::filesystem::exists(run / "checkpoints" / "step-00000020.damaged" / file));
      EXPECT_TRUE(shop.weights("run") == shop.weights("undisturbed"));
    }
  }
}

}  // namespace
}  // namespace etude::testing
