// What a storage promises besides being Optuna's: all or nothing, whatever happens to the process, the disk or the
// file.
#include "sweep/storage/storage.h"

#include <csignal>
#include <cstring>
#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "framework/config/error.h"
#include "sweep/storage/database.h"
#include "sweep/storage/network_disk.h"
#include "tests/support/oracle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace etude::sweep {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Values;

Trial small_trial(double x = 0.5) {
  Trial trial;
  trial.set_parameter({"x", x, std::make_shared<const Distribution>(Distribution::real(0, 1))});
  trial.set_report({1, 2.5});
  trial.system_attributes["etude:paused"] = 1;
  return trial;
}

/// What `action` throws, or nothing.
template <typename Problem = Error, typename Action>
std::string error_of(const Action& action) {
  try {
    action();
  } catch (const Problem& problem) {
    return problem.what();
  }
  return "";
}

class AnyFile : public ::testing::TestWithParam<const char*> {
 protected:
  std::filesystem::path file() const { return folder_.path() / "sweep file"; }
  std::string url() const { return fmt::format("{}:///{}", GetParam(), file().string()); }
  static std::int64_t add(Storage& storage, std::int64_t study, const Trial& trial = small_trial()) {
    std::vector<Change> changes{NewTrial{trial}};
    storage.apply(study, changes);
    return std::get<NewTrial>(changes[0]).trial.id;
  }
  bool journal() const { return std::string(GetParam()) == "journal"; }

  testing::TemporaryFolder folder_;
};

TEST_P(AnyFile, OneOfThatNameIsRefusedAndNoneIsFoundWhereThereIsNone) {
  EXPECT_THAT(error_of<UsageError>([&] { open_storage(url(), false); }), HasSubstr(file().string()));
  EXPECT_FALSE(std::filesystem::exists(file())) << "looking for studies made a file";
  const auto storage = open_storage(url(), true);
  storage->create("one", {Direction::kMinimize});
  EXPECT_THAT(error_of<UsageError>([&] { storage->create("one", {Direction::kMinimize}); }), HasSubstr("'one'"));
  EXPECT_FALSE(storage->find("two"));
  EXPECT_EQ(storage->studies().size(), 1U);
}

TEST_P(AnyFile, NewTrialsAndThoseAskedForAreLoadedAndNoOthers) {
  const auto storage = open_storage(url(), true);
  const auto study = storage->create("one", {Direction::kMinimize}).id;
  const auto other = storage->create("two", {Direction::kMinimize}).id;
  std::vector<std::int64_t> ids;
  for (int i = 0; i < 6; ++i) {
    ids.push_back(add(*storage, study, small_trial(i / 10.0)));
    add(*storage, other, small_trial(1));
  }
  std::vector<std::int64_t> numbers;
  for (const Trial& trial : storage->load(study, ids[3], {ids[1], ids[5]})) {
    numbers.push_back(trial.number);
    ASSERT_EQ(trial.parameters.size(), 1U);
    EXPECT_EQ(trial.parameters[0].value, static_cast<double>(trial.number) / 10);
    EXPECT_THAT(trial.reports, ElementsAre(Report{1, 2.5}));
  }
  EXPECT_THAT(numbers, ElementsAre(1, 4, 5));
}

TEST_P(AnyFile, AnAttributeThatIsTakenAwayIsGone) {
  const auto storage = open_storage(url(), true);
  const auto study = storage->create("one", {Direction::kMinimize}).id;
  const auto id = add(*storage, study);
  ASSERT_TRUE(storage->load(study)[0].paused());
  std::vector<Change> changes{TrialAttribute{id, true, kPaused, Json(Json::value_t::discarded)}};
  storage->apply(study, changes);
  EXPECT_FALSE(storage->load(study)[0].paused());
  EXPECT_FALSE(open_storage(url(), false)->load(study)[0].paused());
}

TEST_P(AnyFile, OfChangesOfWhichOneFailsNoneIsMade) {
  const auto storage = open_storage(url(), true);
  const auto study = storage->create("one", {Direction::kMinimize}).id;
  const auto id = add(*storage, study);
  std::vector<Change> nan{NewReport{id, {7, 1.0}}, NewTrial{small_trial()},
                          StateChange{id, TrialState::kComplete, {std::nan("")}, {}, {}}};
  EXPECT_THAT(error_of([&] { storage->apply(study, nan); }), HasSubstr("nan"));
  if (!journal()) {  // one that is not there: noticed half way
    std::vector<Change> gone{NewReport{id, {7, 1.0}}, NewTrial{small_trial()},
                             StateChange{id + 77, TrialState::kComplete, {1.0}, {}, {}}};
    EXPECT_THAT(error_of([&] { storage->apply(study, gone); }), HasSubstr("no trial"));
    EXPECT_EQ(std::get<NewTrial>(gone[1]).trial.id, -1);
  }
  for (const auto& reader : {open_storage(url(), false), open_storage(url(), false)}) {
    ASSERT_EQ(reader->load(study).size(), 1U);
    EXPECT_EQ(reader->load(study)[0].reports.size(), 1U);
  }
}

TEST_P(AnyFile, OneControllerHoldsAStudyUntilItsProcessEndsHoweverThatIs) {
  const auto storage = open_storage(url(), true);
  const StudyRecord study = storage->create("one", {Direction::kMinimize});
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto own = open_storage(url(), false);
    own->claim(study);
    [[maybe_unused]] const auto told = write(ready[1], "x", 1);
    pause();
    _exit(0);
  }
  char byte;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_THAT(error_of<UsageError>([&] { storage->claim(study); }),
              AllOf(HasSubstr(fmt::format("process {}", child)), HasSubstr("'one'"), HasSubstr(file().string())));
  const StudyRecord other = storage->create("two", {Direction::kMinimize});
  storage->claim(other);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  storage->claim(study);
  storage->claim(study);
}

TEST_P(AnyFile, WhatWasAnsweredOutlivesAKill) {
  const auto study = open_storage(url(), true)->create("one", {Direction::kMinimize}).id;
  int answers[2];
  ASSERT_EQ(pipe(answers), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto own = open_storage(url(), false);
    for (;;) {
      const std::int64_t id = add(*own, study);
      std::vector<Change> report{NewReport{id, {2, 7.5}}};
      own->apply(study, report);
      [[maybe_unused]] const auto told = write(answers[1], "x", 1);
    }
  }
  char byte;
  int answered = 0;
  for (; answered < 20; ++answered) ASSERT_EQ(read(answers[0], &byte, 1), 1);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(answers[1]);
  while (read(answers[0], &byte, 1) == 1) ++answered;
  const auto trials = open_storage(url(), false)->load(study);
  ASSERT_GE(static_cast<int>(trials.size()), answered);
  for (int i = 0; i < answered; ++i) EXPECT_EQ(trials[static_cast<std::size_t>(i)].reports.size(), 2U);
}

TEST_P(AnyFile, BitsThatFlippedAreAnErrorThatNamesTheFileOrAnotherValueAndNeverMore) {
  std::int64_t study = 0;
  {
    const auto storage = open_storage(url(), true);
    study = storage->create("one", {Direction::kMinimize}).id;
    std::vector<Change> changes;
    for (int i = 0; i < 30; ++i) changes.emplace_back(NewTrial{small_trial()});
    storage->apply(study, changes);
  }
  const std::string whole = testing::slurp(file());
  std::mt19937 random(1);
  int refused = 0;
  for (int i = 0; i < 150; ++i) {
    std::string damaged = whole;
    if (i % 10 == 0) {
      damaged.resize(random() % whole.size());
    } else {
      for (int k = 0; k < 20; ++k) damaged[random() % whole.size()] ^= static_cast<char>(1 << random() % 8);
    }
    std::ofstream(file(), std::ios::binary) << damaged;
    const std::string error = error_of([&] { open_storage(url(), false)->load(study); });
    if (error.empty()) continue;
    EXPECT_THAT(error, HasSubstr(file().string()));
    ++refused;
  }
  EXPECT_GT(refused, 30);
}

TEST_P(AnyFile, AFullDiskIsAnErrorAfterWhichTheSameMayBeTriedAgain) {
  const auto disk = folder_.path() / "disk";
  std::filesystem::create_directory(disk);
  // A disk of this process alone, gone with it.
  if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("etude-test", disk.c_str(), "tmpfs", 0, "size=1m") != 0) {
    GTEST_SKIP() << "no disk can be mounted here: " << std::strerror(errno);
  }
  const std::string there = fmt::format("{}:///{}", GetParam(), (disk / "sweep file").string());
  {
    const auto storage = open_storage(there, true);
    const auto study = storage->create("one", {Direction::kMinimize}).id;
    std::vector<Change> changes;
    for (int i = 0; i < 20; ++i) changes.emplace_back(NewTrial{small_trial()});
    std::size_t stored = 0;
    std::string error;
    for (; error.empty() && stored < 100'000; stored += error.empty() ? changes.size() : 0) {
      error = error_of([&] { storage->apply(study, changes); });
    }
    EXPECT_THAT(error, AllOf(HasSubstr((disk / "sweep file").string()),
                             ::testing::AnyOf(HasSubstr("make room"), HasSubstr("free some space"))));
    EXPECT_EQ(storage->load(study).size(), stored) << "half of the changes was made";
    EXPECT_EQ(mount("etude-test", disk.c_str(), "tmpfs", MS_REMOUNT, "size=8m"), 0);
    storage->apply(study, changes);
    EXPECT_EQ(open_storage(there, false)->load(study).size(), stored + changes.size());
  }
  umount(disk.c_str());
}

INSTANTIATE_TEST_SUITE_P(Of, AnyFile, Values("sqlite", "journal"),
                         [](const auto& one) { return std::string(one.param); });

TEST(Sqlite, AnotherSchemaIsToldOfWithTheWayOutAndLeftAsItIs) {
  const testing::TemporaryFolder folder;
  const std::string file = (folder.path() / "sweep.db").string();
  for (const auto& [version, way_out] :
       {std::pair("v2.6.0.a", "optuna storage upgrade"), std::pair("v9.1.0.a", "newer")}) {
    open_storage("sqlite:///" + file, true);
    {
      const auto database = open_sqlite(file);
      database->write([&] {
        database->fields.text = version;
        database->run("update alembic_version set version_num = :text");
      });
    }
    const std::string before = testing::slurp(file);
    for (const bool create : {false, true}) {
      EXPECT_THAT(error_of<UsageError>([&] { open_storage("sqlite:///" + file, create); }),
                  AllOf(HasSubstr(file), HasSubstr(version), HasSubstr(way_out)));
    }
    EXPECT_TRUE(testing::slurp(file) == before);
    std::filesystem::remove(file);
  }
}

TEST(Sqlite, WhoOnlyLooksLeavesTheFileAsItIs) {
  const testing::TemporaryFolder folder;
  const auto file = folder.path() / "sweep.db";
  {
    const auto storage = open_storage("sqlite:///" + file.string(), true);
    storage->create("one", {Direction::kMinimize});
  }
  // As Optuna keeps it.
  {
    const auto database = open_sqlite(file.string());
    EXPECT_TRUE(database->one("pragma journal_mode = delete", {"text"}));
  }
  const std::string before = testing::slurp(file);
  {
    const auto storage = open_storage("sqlite:///" + file.string(), false);
    storage->load(storage->studies().at(0).id);
  }
  EXPECT_TRUE(testing::slurp(file) == before);
}

TEST(JournalFile, ALineThatItsWriterDiedOverIsPassedOverAndCutOffBeforeTheNext) {
  const testing::TemporaryFolder folder;
  const auto file = folder.path() / "sweep.log";
  const auto storage = open_storage("journal:///" + file.string(), true);
  const auto study = storage->create("one", {Direction::kMinimize}).id;
  const std::string whole = testing::slurp(file);
  std::ofstream(file, std::ios::app) << R"({"op_code":4,"study_)";
  EXPECT_EQ(open_storage("journal:///" + file.string(), false)->studies().size(), 1U);
  std::vector<Change> changes{NewTrial{small_trial()}};
  storage->apply(study, changes);
  EXPECT_EQ(testing::slurp(file).find("\"study_{"), std::string::npos);
  EXPECT_EQ(open_storage("journal:///" + file.string(), false)->load(study).size(), 1U);

  std::ofstream(file, std::ios::app) << "{\"op_code\":4,\n";
  EXPECT_THAT(error_of([&] { open_storage("journal:///" + file.string(), false); }),
              AllOf(HasSubstr(file.string()), HasSubstr("line 3 ")));
}

TEST(JournalFile, MutilatedLinesAreTakenOrRefused) {
  const std::string good =
      R"({"op_code":0,"worker_id":"w","study_name":"n","directions":[1]}
{"op_code":4,"worker_id":"w","study_id":0,"datetime_start":"2026-11-22T00:29:34.535274+00:00"}
{"op_code":5,"worker_id":"w","trial_id":0,"param_name":"c","param_value_internal":1,"distribution":"{\"name\": \"CategoricalDistribution\", \"attributes\": {\"choices\": [null, true, 1.5, NaN, \"\\u00e9\"]}}"}
{"op_code":7,"worker_id":"w","trial_id":0,"step":2,"intermediate_value":-Infinity}
{"op_code":6,"worker_id":"w","trial_id":0,"state":1,"values":[0.67],"datetime_complete":"2026-11-22T00:29:34"}
)";
  std::mt19937 random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string text = i % 2 == 0 ? good : good.substr(good.find("{\\\"name"), 90);
    for (auto k = random() % 6; k > 0; --k) {
      const std::size_t at = random() % text.size();
      if (random() % 2 == 0) {
        text[at] = static_cast<char>(random());
      } else {
        text.erase(at, random() % 9);
      }
      if (text.empty()) break;
    }
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  }
}

TEST(StorageUrl, APasswordIsNeverTold) {
  for (const char* url :
       {"postgresql://ann:S3cret@nowhere.invalid/sweeps", "postgresql+psycopg2://ann:S3cret@/x?port=1",
        "postgresql://ann@nowhere.invalid/x?password=S3cret&connect_timeout=1",
        "postgresql://ann:a@S3cret:99999@nowhere.invalid/x", "mysql://ann:S3cret@host/x"}) {
    EXPECT_THAT(without_password(url), AllOf(Not(HasSubstr("S3cret")), HasSubstr("ann")));
    EXPECT_THAT(error_of([&] { open_storage(url, true); }), AllOf(Not(HasSubstr("S3cret")), Not(::testing::IsEmpty())));
  }
  EXPECT_EQ(without_password("sqlite:///a@b.db"), "sqlite:///a@b.db");
}

TEST(NetworkDisk, IsKnownByItsNumber) {
  EXPECT_TRUE(is_network_disk(0x6969L)) << "NFS";
  EXPECT_TRUE(is_network_disk(0x0bd00bd0L)) << "Lustre";
  EXPECT_TRUE(is_network_disk(static_cast<long>(0xff534d42))) << "CIFS";
  EXPECT_FALSE(is_network_disk(0xef53L)) << "ext4";
  EXPECT_FALSE(is_network_disk(0x58465342L)) << "XFS";
}

}  // namespace
}  // namespace etude::sweep
