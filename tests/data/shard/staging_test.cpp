#include "data/shard/staging.h"

#include <algorithm>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "framework/config/error.h"
#include "tests/data/pack/music.h"
#include "tests/support/oracle.h"

namespace etude::data {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
namespace fs = std::filesystem;

/// A pack, and a folder that stands for the node's own disk.
class Staging : public ::testing::TestWithParam<ShardFormat> {
 protected:
  void SetUp() override { make("pack", "calm"); }
  /// The same music each time, under another label.
  void make(const std::string& name, const std::string& mood) {
    std::string labels = "file,mood\n";
    for (unsigned i = 0; i < 20; ++i) {
      const std::string file = std::to_string(i) + ".mid";
      testing::write_midi(folder_.path() / "music" / file, testing::melody(i));
      labels += file + "," + mood + "\n";
    }
    testing::write_file(folder_.path() / "labels.csv", labels);
    PackRequest request = testing::request(folder_.path() / "music", folder_.path() / name);
    request.format = GetParam();
    request.labels = folder_.path() / "labels.csv";
    build_pack(request);
  }
  fs::path pack() const { return folder_.path() / "pack"; }
  fs::path disk() const { return folder_.path() / "disk"; }
  std::string shard_name() const { return GetParam() == ShardFormat::kHdf5 ? "train.h5" : "train.pt"; }
  StagedPack stage() {
    return stage_pack(Pack::open(pack()), disk(), [this](const std::string& text) { told_ += text + "\n"; });
  }
  /// By somebody else's program.
  static bool same(const fs::path& one, const fs::path& other) {
    return testing::run_shell("diff -r " + one.string() + " " + other.string()).exit_code == 0;
  }
  static std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
    return names;
  }
  static ino_t inode(const fs::path& file) {
    struct stat status {};
    EXPECT_EQ(::stat(file.c_str(), &status), 0);
    return status.st_ino;
  }
  static void flip_a_bit_in_the_middle(const fs::path& file) {
    std::string bytes = testing::slurp(file);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    fs::remove(file);
    testing::write_file(file, bytes);
  }

  testing::TemporaryFolder folder_;
  std::string told_;
};

TEST_P(Staging, MakesACopyOfEveryByteUnderANameWithThePacksHash) {
  testing::write_file(pack() / "notes.txt", "not of the pack");
  const StagedPack staged = stage();
  EXPECT_TRUE(staged.copied);
  EXPECT_THAT(staged.folder.filename().string(), HasSubstr(Pack::open(pack()).hash()));
  EXPECT_THAT(told_, AllOf(HasSubstr(pack().string()), HasSubstr(disk().string())));
  fs::remove(pack() / "notes.txt");
  EXPECT_TRUE(same(pack(), staged.folder));
  EXPECT_EQ(names_in(disk()).size(), 1U) << "something else was left behind";
}

TEST_P(Staging, UsesAnEarlierCopyThatIsWhole) {
  const StagedPack first = stage();
  const ino_t before = inode(first.folder / shard_name());
  told_.clear();
  const StagedPack second = stage();
  EXPECT_FALSE(second.copied);
  EXPECT_EQ(second.folder, first.folder);
  EXPECT_EQ(inode(second.folder / shard_name()), before);
  EXPECT_EQ(told_, "");
}

TEST_P(Staging, MakesACopyAnewThatIsDamagedAndSaysWhatWasWrong) {
  const fs::path copy = stage().folder;
  const auto expect_made_anew = [&](const std::string& what_was_wrong) {
    const StagedPack again = stage();
    EXPECT_TRUE(again.copied);
    EXPECT_THAT(again.damage, HasSubstr(what_was_wrong));
    EXPECT_TRUE(same(pack(), copy));
  };
  flip_a_bit_in_the_middle(copy / "pack.json");
  expect_made_anew("pack.json");
  fs::resize_file(copy / shard_name(), fs::file_size(copy / shard_name()) / 2);
  expect_made_anew(shard_name());
  fs::remove(copy / shard_name());
  expect_made_anew(shard_name());
  fs::remove_all(copy);
  testing::write_file(copy, "a file where the folder should be");
  expect_made_anew(copy.string());
}

TEST_P(Staging, IsNotTakenInByAFlippedToken) {
  const fs::path copy = stage().folder;
  const Pack opened = Pack::open(copy);
  std::string start;  // the first tokens as they lie in the file, 16 bits each
  for (const TokenId token : testing::tokens_of(opened, Split::kTrain, 0)) {
    if (start.size() == 10) break;
    start += static_cast<char>(token & 0xff);
    start += static_cast<char>(token >> 8);
  }
  std::string bytes = testing::slurp(copy / shard_name());
  const std::size_t at = bytes.find(start);
  ASSERT_NE(at, std::string::npos);
  bytes[at + 8] = static_cast<char>(bytes[at + 8] ^ 1);
  fs::remove(copy / shard_name());
  testing::write_file(copy / shard_name(), bytes);
  EXPECT_THAT(stage().damage, HasSubstr("'tokens'"));
  EXPECT_TRUE(same(pack(), copy));
}

TEST_P(Staging, KeepsPacksApartThatDifferInLabelsAlone) {
  const StagedPack calm = stage();
  make("sad", "sad");
  ASSERT_EQ(Pack::open(folder_.path() / "sad").hash(), Pack::open(pack()).hash());
  const StagedPack sad = stage_pack(Pack::open(folder_.path() / "sad"), disk(), [](const std::string&) {});
  EXPECT_TRUE(same(pack(), calm.folder));
  EXPECT_TRUE(same(folder_.path() / "sad", sad.folder));
}

TEST_P(Staging, IsDoneOnceWhenSeveralComeAtATime) {
  std::mutex mutex;
  int copies = 0;
  {
    std::vector<std::jthread> jobs;
    for (int i = 0; i < 8; ++i) {
      jobs.emplace_back([&] {
        const StagedPack staged = stage_pack(Pack::open(pack()), disk(), [](const std::string&) {});
        Pack::open(staged.folder).verify();
        const std::lock_guard lock(mutex);
        copies += staged.copied ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(copies, 1);
  EXPECT_EQ(names_in(disk()).size(), 1U);
}

TEST_P(Staging, OfADamagedPackLeavesNothingAndSaysHowToFindOut) {
  flip_a_bit_in_the_middle(pack() / shard_name());
  const auto damaged = [&] {
    try {
      Pack::open(pack()).verify();
    } catch (const Error&) {
      return true;
    }
    return false;
  };
  while (!damaged()) flip_a_bit_in_the_middle(pack() / shard_name());
  EXPECT_THAT([&] { stage(); }, ThrowsMessage<Error>(AllOf(HasSubstr(pack().string()), HasSubstr("etude inspect"))));
  EXPECT_THAT(names_in(disk()), ::testing::IsEmpty());
}

TEST_P(Staging, WhereThereCanBeNoFolderNamesIt) {
  testing::write_file(disk(), "a file");
  EXPECT_THAT([&] { stage(); }, ThrowsMessage<Error>(HasSubstr(disk().string())));
}

INSTANTIATE_TEST_SUITE_P(All, Staging, ::testing::Values(ShardFormat::kHdf5, ShardFormat::kTorch),
                         [](const auto& one) { return one.param == ShardFormat::kHdf5 ? "Hdf5" : "Torch"; });

}  // namespace
}  // namespace etude::data
