// What is found out when a collective is not done in time. The letters are made by hand; that they travel, and that all
// ranks end, is tested with ranks of their own at the end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/comm/stack_traces.h"
#include "framework/comm/watchdog.h"
#include "tests/support/mpi.h"

namespace etude::comm {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

Standing standing(int rank, std::int64_t posted, std::int64_t waits_for, double waited = 0,
                  const std::string& collective = "") {
  Standing made;
  made.rank = rank;
  made.step = 41;
  made.posted = posted;
  made.waits_for = waits_for;
  made.waited = waited;
  std::string("computing").copy(made.doing.data(), made.doing.size() - 1);
  collective.copy(made.collective.data(), made.collective.size() - 1);
  return made;
}

constexpr const char* kBucket = "all_to_all of 9 Float values (step 41, bucket 3)";

TEST(Verdict, NamesWhoDoesNotAnswerAndWhoHasNotCome) {
  const std::string found =
      verdict({standing(0, 90, 88, 3.1, kBucket), standing(1, 87, 0), std::nullopt, standing(3, 89, 88, 2.5, kBucket)});
  EXPECT_THAT(found, HasSubstr(std::string(kBucket) + " has not been done for 3.1 s: "));
  EXPECT_THAT(found, HasSubstr("rank 1 is at step 41, computing; it has not come to this collective (87 of 87 before"));
  EXPECT_THAT(found, HasSubstr("rank 2 does not answer"));
  EXPECT_THAT(found, AllOf(Not(HasSubstr("rank 0")), Not(HasSubstr("rank 3"))));
}

TEST(Verdict, TheEarliestCollectiveThatSomebodyWaitsForCounts) {
  // Rank 0 was given all it needs of number 88, as the root of a broadcast is, and waits for 89.
  const std::string found =
      verdict({standing(0, 89, 89, 9.0, "barrier"), standing(1, 89, 88, 8.0, kBucket), standing(2, 87, 0)});
  EXPECT_THAT(found, AllOf(HasSubstr(kBucket), HasSubstr("rank 2 is"), Not(HasSubstr("rank 0"))));
}

TEST(Verdict, RanksThatDisagreeAboutTheCollectiveAreNamed) {
  const std::string found =
      verdict({standing(0, 88, 88, 3, kBucket), standing(1, 88, 88, 2, "broadcast of 1 Long values")});
  EXPECT_THAT(found, HasSubstr("rank 1 has come to another one: broadcast of 1 Long values"));
}

TEST(Verdict, WhenAllHaveComeTheNetworkIsToBlame) {
  EXPECT_THAT(verdict({standing(0, 88, 88, 3, kBucket), standing(1, 89, 88, 2, kBucket)}), HasSubstr("network"));
}

TEST(FlightRecorder, KeepsTheLastCollectivesAndAllThatAreNotDone) {
  FlightRecorder recorder(3);
  recorder.describe(7, "computing");
  for (int i = 1; i <= 6; ++i) {
    const Label label("bucket " + std::to_string(i));
    EXPECT_EQ(recorder.posted({"all_reduce", 10 * i, at::kFloat}), i);
  }
  for (const int number : {1, 3, 4, 5, 6}) recorder.done(number);
  const Position position = recorder.position();
  EXPECT_EQ(position.posted, 6);
  EXPECT_STREQ(position.doing, "computing");
  ASSERT_TRUE(position.oldest);
  EXPECT_EQ(position.oldest->text(), "all_reduce of 20 Float values (step 7, bucket 2)");
  EXPECT_EQ(recorder.flights().front().number, 2) << "one that is not done was forgotten";

  recorder.done(2);
  EXPECT_FALSE(recorder.position().oldest);
  EXPECT_EQ(recorder.flights().size(), 3u);
  EXPECT_EQ(recorder.flights().front().number, 4);
}

TEST(Label, HoldsForItsThreadAndItsScope) {
  FlightRecorder recorder;
  {
    const Label outer("evaluation");
    { const Label inner("bucket 1"); }
    std::thread([&] { recorder.posted({"barrier", 0, at::kByte}); }).join();
    recorder.posted({"barrier", 0, at::kByte});
  }
  recorder.posted({"barrier", 0, at::kByte});
  std::vector<std::string> labels;
  for (const Flight& flight : recorder.flights()) labels.push_back(flight.label);
  EXPECT_THAT(labels, ::testing::ElementsAre("", "evaluation", ""));
}

TEST(StackTraces, ShowWhereEachThreadIs) {
  prepare_stack_traces();
  std::mutex mutex;
  std::unique_lock held(mutex);
  std::thread waiting([&] { const std::lock_guard lock(mutex); });
  const std::string traces = stack_traces();
  held.unlock();
  waiting.join();
  EXPECT_THAT(traces, HasSubstr("the main thread"));
  EXPECT_THAT(traces, ContainsRegex("pthread_mutex_lock|futex|lll_lock|libc")) << traces;
  EXPECT_EQ(traces.find("does not answer"), std::string::npos) << traces;
}

TEST(Deadline, ARankThatComputesForEverIsNamedByTheOthersAndAllEnd) {
  ETUDE_NEEDS_MPIRUN();
  const testing::TemporaryFolder folder;
  const testing::ShellResult result =
      testing::run_mpi(3, testing::program_beside_this("comm_ranks") + " one_is_late " + folder.path().string());
  EXPECT_EQ(result.exit_code, 75) << result.output << result.errors;
  for (const std::string rank : {"0", "1", "2"}) {
    EXPECT_THAT(result.output, HasSubstr("rank " + rank +
                                         " found all_reduce of 1000 Float values (step 4, bucket 7) has "
                                         "not been done for 1."));
    EXPECT_THAT(
        testing::slurp(folder.path() / ("rank-" + rank + ".txt")),
        AllOf(HasSubstr("rank 1 is at step 4, computing; it has not come to this collective (1 of 1 before it)"),
              HasSubstr("barrier of 0 Byte values"), HasSubstr("the main thread")))
        << "rank " << rank;
  }
}

}  // namespace
}  // namespace etude::comm
