#include "framework/checkpoint/store.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/framework/checkpoint/example.h"

namespace etude::checkpoint {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::error_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::snapshot_at;

class StoreTest : public ::testing::Test {
 protected:
  Store store(std::int64_t keep_last, std::int64_t keep_best, bool more_is_better = false) const {
    return {path(), {.every = 1, .keep_last = keep_last, .keep_best = keep_best}, more_is_better};
  }
  fs::path path() const { return folder_.path() / "checkpoints"; }

  static std::vector<std::int64_t> steps(const std::vector<fs::path>& folders) {
    std::vector<std::int64_t> found;
    for (const fs::path& folder : folders) found.push_back(read_manifest(folder).step);
    return found;
  }
  /// The step a link leads to, -1 for a link that is not there.
  std::int64_t linked(const std::string& name) const {
    if (!fs::is_symlink(path() / name)) return -1;
    EXPECT_FALSE(fs::read_symlink(path() / name).is_absolute());  // a run folder may be moved
    return read_manifest(path() / name).step;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(path())) found.push_back(entry.path().filename().string());
    std::sort(found.begin(), found.end());
    return found;
  }
  void damage(std::int64_t step) const { fs::resize_file(store(1, 1).folder_of(step) / "state.json", 3); }

 private:
  testing::TemporaryFolder folder_;
};

TEST_F(StoreTest, KeepsTheLastAndTheBestAndLinksThemAfterEachSave) {
  Store keeps = store(2, 2);
  struct Row {
    double metric;
    std::int64_t best, second;
    std::vector<std::int64_t> kept;
  };
  // Less is better. What is neither among the two best nor among the two newest goes.
  const std::vector<Row> rows{{5, 100, -1, {100}},
                              {3, 200, 100, {200, 100}},
                              {4, 200, 300, {300, 200}},
                              {9, 200, 300, {400, 300, 200}},
                              {8, 200, 300, {500, 400, 300, 200}},
                              {1, 600, 200, {600, 500, 200}}};
  std::int64_t step = 0;
  for (const Row& row : rows) {
    step += 100;
    SCOPED_TRACE(step);
    keeps.save(snapshot_at(step, row.metric));
    EXPECT_EQ(linked("last"), step);
    EXPECT_EQ(linked("best"), row.best);
    EXPECT_EQ(linked("best-2"), row.second);
    EXPECT_EQ(steps(keeps.newest_first()), row.kept);
  }
}

TEST_F(StoreTest, MoreIsBetterForAccuraciesAndOfEqualsTheOlderIsBetter) {
  Store keeps = store(1, 1, true);
  keeps.save(snapshot_at(1, 0.5));
  keeps.save(snapshot_at(2, 0.25));
  EXPECT_EQ(linked("best"), 1);
  EXPECT_FALSE(keeps.would_be_kept(0.5));
  EXPECT_TRUE(keeps.would_be_kept(0.75));
  keeps.save(snapshot_at(3, 0.5));
  EXPECT_EQ(linked("best"), 1);
  keeps.save(snapshot_at(4, 0.75));
  EXPECT_EQ(linked("best"), 4);
  EXPECT_THAT(steps(keeps.newest_first()), ElementsAre(4));
}

TEST_F(StoreTest, CheckpointsWithoutAMetricAreNeverBest) {
  Store keeps = store(1, 1);
  keeps.save(snapshot_at(1));
  EXPECT_EQ(linked("best"), -1);
  EXPECT_TRUE(keeps.would_be_kept(100.0));
  keeps.save(snapshot_at(2, 7.0));
  keeps.save(snapshot_at(3));
  keeps.save(snapshot_at(4, std::numeric_limits<double>::quiet_NaN()));
  EXPECT_EQ(linked("best"), 2);
  EXPECT_EQ(linked("last"), 4);
  EXPECT_THAT(steps(keeps.newest_first()), ElementsAre(4, 2));
  EXPECT_THAT(steps(keeps.best_first()), ElementsAre(2));
}

TEST_F(StoreTest, WithKeepBestZeroNothingIsKeptForItsMetric) {
  Store keeps = store(1, 0);
  keeps.save(snapshot_at(1, 1.0));
  keeps.save(snapshot_at(2, 2.0));
  EXPECT_FALSE(keeps.would_be_kept(0.0));
  EXPECT_THAT(names(), ElementsAre("last", "step-00000002"));
}

TEST_F(StoreTest, KeepingFewerThanBeforeLeavesNoLinkThatLeadsNowhere) {
  Store generous = store(1, 3);
  for (const std::int64_t step : {1, 2, 3}) generous.save(snapshot_at(step, static_cast<double>(step)));
  EXPECT_EQ(linked("best-3"), 3);
  store(1, 1).save(snapshot_at(4, 4.0));
  EXPECT_THAT(names(), ElementsAre("best", "last", "step-00000001", "step-00000004"));
}

TEST_F(StoreTest, StepsOfMoreThanEightDigitsAreNewerStill) {
  Store keeps = store(2, 0);
  for (const std::int64_t step : {99'999'998, 99'999'999, 100'000'000}) keeps.save(snapshot_at(step));
  EXPECT_THAT(steps(keeps.newest_first()), ElementsAre(100'000'000, 99'999'999));
  EXPECT_EQ(linked("last"), 100'000'000);
}

TEST_F(StoreTest, AStepThatIsThereAlreadyIsLeftAsItIs) {
  Store keeps = store(2, 1);
  keeps.save(snapshot_at(5, 1.0));
  keeps.save(snapshot_at(5, 2.0));
  EXPECT_EQ(read_manifest(keeps.folder_of(5)).metric, 1.0);
}

TEST_F(StoreTest, LoadsTheNewestThatIsWholeAndTellsOfTheOthers) {
  Store keeps = store(5, 1);
  for (const std::int64_t step : {1, 2, 3, 4}) keeps.save(snapshot_at(step, static_cast<double>(-step)));
  damage(4);
  fs::remove(keeps.folder_of(3) / "model.safetensors");
  std::vector<std::string> told;
  const auto found = keeps.load_newest([&](const std::string& why) { told.push_back(why); });
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->step, 2);
  EXPECT_EQ(found->state["tokens"], 200);
  EXPECT_THAT(told, ElementsAre(HasSubstr("step-00000004/state.json"), HasSubstr("step-00000003/model.safetensors")));
}

TEST_F(StoreTest, ARunThatWentBackWritesAgainWhatWasDamaged) {
  Store keeps = store(2, 1);
  for (const std::int64_t step : {10, 20, 30}) keeps.save(snapshot_at(step, static_cast<double>(-step)));
  damage(30);
  ASSERT_EQ(keeps.load_newest([](const std::string&) {})->step, 20);
  EXPECT_EQ(linked("last"), 20);
  EXPECT_EQ(linked("best"), 20);
  keeps.save(snapshot_at(25));
  EXPECT_EQ(linked("last"), 25);
  EXPECT_THAT(steps(keeps.newest_first()), ElementsAre(25, 20));
  keeps.save(snapshot_at(30, -30.0));
  EXPECT_EQ(linked("last"), 30);
  EXPECT_EQ(linked("best"), 30);
  EXPECT_EQ(error_of([&] { verify(keeps.folder_of(30)); }), "no error");
}

TEST_F(StoreTest, NothingIsLoadedWhereNothingIsWhole) {
  Store keeps = store(2, 1);
  const auto ignore = [](const std::string&) {};
  EXPECT_FALSE(keeps.load_newest(ignore).has_value());  // not even the folder is there
  keeps.save(snapshot_at(1, 1.0));
  damage(1);
  EXPECT_FALSE(keeps.load_newest(ignore).has_value());
  keeps.save(snapshot_at(1, 1.0));
  EXPECT_EQ(keeps.load_newest(ignore)->step, 1);
}

TEST_F(StoreTest, LoadingRemovesWhatAKilledProcessLeft) {
  Store keeps = store(2, 1);
  keeps.save(snapshot_at(1, 1.0));
  fs::create_directories(path() / ".step-00000002.0123456789abcdef.partial" / "deep");
  fs::create_directory(path() / ".step-00000000.old");
  fs::create_directory_symlink("nowhere", path() / ".last.new");
  fs::create_directory(path() / "notes of a person");
  ASSERT_TRUE(keeps.load_newest([](const std::string&) {}).has_value());
  EXPECT_THAT(names(), ::testing::Not(::testing::Contains(HasSubstr("partial"))));
  EXPECT_THAT(names(), ::testing::Not(::testing::Contains(HasSubstr(".old"))));
  EXPECT_THAT(names(), ::testing::Contains("notes of a person"));
  keeps.save(snapshot_at(2, 2.0));
  EXPECT_EQ(linked("last"), 2);
  EXPECT_EQ(linked("best"), 1);
}

TEST_F(StoreTest, FindsWhatAPersonMeans) {
  EXPECT_THAT(error_of([&] { find_checkpoint(path(), ""); }), HasSubstr("holds no checkpoint yet"));
  Store keeps = store(5, 1);
  for (const std::int64_t step : {10, 20, 30}) keeps.save(snapshot_at(step, std::abs(static_cast<double>(step) - 20)));
  const auto step_of = [&](const std::string& which) { return read_manifest(find_checkpoint(path(), which)).step; };
  EXPECT_EQ(step_of(""), 30);
  EXPECT_EQ(step_of("last"), 30);
  EXPECT_EQ(step_of("best"), 20);
  EXPECT_EQ(step_of("10"), 10);
  point_link(path(), "final", keeps.folder_of(20));
  EXPECT_EQ(step_of(""), 20);
  point_link(path(), "final", keeps.folder_of(10));  // a link is replaced
  EXPECT_EQ(step_of("final"), 10);
  EXPECT_THAT(error_of([&] { find_checkpoint(path(), "40"); }),
              HasSubstr("'40'; there are best, final, last, step-00000010, step-00000020, step-00000030"));
  EXPECT_THROW(find_checkpoint(path(), "../../etc"), UsageError);
}

}  // namespace
}  // namespace etude::checkpoint
