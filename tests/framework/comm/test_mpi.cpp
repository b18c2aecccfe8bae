#include <algorithm>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/mpi.h"

namespace {

using etude::testing::program_beside_this;
using etude::testing::run_mpi;
using etude::testing::ShellResult;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAreArray;

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// What follows `what` in every rank's output, rank by rank.
std::vector<std::string> seen(const std::string& output, const std::string& what, int ranks) {
  std::vector<std::string> found;
  for (int rank = 0; rank < ranks; ++rank) {
    const std::string start = fmt::format("rank {} {} ", rank, what);
    for (const std::string& line : lines_of(output)) {
      if (line.rfind(start, 0) == 0) found.push_back(line.substr(start.size()));
    }
  }
  return found;
}

ShellResult run_scene(int ranks, const std::string& scene, const std::string& environment = "ETUDE_COMM=mpi") {
  return run_mpi(ranks, program_beside_this("comm_ranks") + " " + scene, 60, environment);
}

using Seen = std::vector<std::string>;

void expect_reductions(const std::string& output, int ranks, const std::string& sum, const std::string& min,
                       const std::string& max) {
  for (const char* type : {"float32", "float64", "int64", "int32", "uint8"}) {
    const auto everywhere = [&](const std::string& value) { return Seen(static_cast<std::size_t>(ranks), value); };
    EXPECT_EQ(seen(output, fmt::format("all_reduce sum {}:", type), ranks), everywhere(sum));
    EXPECT_EQ(seen(output, fmt::format("all_reduce min {}:", type), ranks), everywhere(min));
    EXPECT_EQ(seen(output, fmt::format("all_reduce max {}:", type), ranks), everywhere(max));
  }
}

TEST(Mpi, OneRankGetsItsOwnValuesBack) {
  ETUDE_NEEDS_MPIRUN();
  const ShellResult result = run_scene(1, "collectives");
  ASSERT_EQ(result.exit_code, 0) << result.output << result.errors;
  EXPECT_EQ(seen(result.output, "place:", 1), Seen{"0/1 0/1"});
  expect_reductions(result.output, 1, "1 2", "1 2", "1 2");
  EXPECT_EQ(seen(result.output, "broadcast:", 1), Seen{"0 1 2"});
  EXPECT_EQ(seen(result.output, "reduce_scatter:", 1), Seen{"0 1"});
  EXPECT_EQ(seen(result.output, "all_gather:", 1), Seen{""});
  EXPECT_EQ(seen(result.output, "all_gather in place:", 1), Seen{"7"});
  EXPECT_EQ(seen(result.output, "all_to_all:", 1), Seen{"0"});
  EXPECT_EQ(seen(result.output, "broadcast_text:", 1), Seen{"Chopin"});
  EXPECT_EQ(seen(result.output, "all_gather_text:", 1), Seen{""});
}

TEST(Mpi, TwoRanksGetTheNumbersWorkedByHand) {
  ETUDE_NEEDS_MPIRUN();
  const ShellResult result = run_scene(2, "collectives");
  ASSERT_EQ(result.exit_code, 0) << result.output << result.errors;
  EXPECT_EQ(seen(result.output, "place:", 2), (Seen{"0/2 0/2", "1/2 1/2"}));
  expect_reductions(result.output, 2, "3 5", "1 2", "2 3");                         // (1 2) and (2 3)
  EXPECT_EQ(seen(result.output, "broadcast:", 2), (Seen{"10 11 12", "10 11 12"}));  // from the last rank
  EXPECT_EQ(seen(result.output, "reduce_scatter:", 2), (Seen{"1 3", "5 7"}));       // (0 1 2 3) + (1 2 3 4)
  EXPECT_EQ(seen(result.output, "all_gather:", 2), (Seen{"10", "10"}));
  EXPECT_EQ(seen(result.output, "all_gather in place:", 2), (Seen{"7 8", "7 8"}));
  EXPECT_EQ(seen(result.output, "all_to_all:", 2), (Seen{"0 100 101", "1 102 103"}));
  EXPECT_EQ(seen(result.output, "broadcast_text:", 2), (Seen{"Chopin", "Chopin"}));
  EXPECT_EQ(seen(result.output, "all_gather_text:", 2), (Seen{",x", ",x"}));
}

TEST(Mpi, FourRanksGetTheNumbersWorkedByHand) {
  ETUDE_NEEDS_MPIRUN();
  const ShellResult result = run_scene(4, "collectives");
  ASSERT_EQ(result.exit_code, 0) << result.output << result.errors;
  expect_reductions(result.output, 4, "10 14", "1 2", "4 5");  // (1 2) (2 3) (3 4) (4 5)
  EXPECT_EQ(seen(result.output, "broadcast:", 4), Seen(4, "30 31 32"));
  // 4 i + (0 + 1 + 2 + 3) at the i-th of 8 values
  EXPECT_EQ(seen(result.output, "reduce_scatter:", 4), (Seen{"6 10", "14 18", "22 26", "30 34"}));
  EXPECT_EQ(seen(result.output, "all_gather:", 4), Seen(4, "10 20 21 30 31 32"));
  EXPECT_EQ(seen(result.output, "all_gather in place:", 4), Seen(4, "7 8 9 10"));
  EXPECT_EQ(seen(result.output, "all_to_all:", 4),
            (Seen{"0 100 101 200 201 202 300 301 302 303", "1 102 103 203 204 205 304 305 306 307",
                  "2 104 105 206 207 208 308 309 310 311", "3 106 107 209 210 211 312 313 314 315"}));
  EXPECT_EQ(seen(result.output, "all_gather_text:", 4), Seen(4, ",x,xx,xxx"));
}

TEST(Mpi, ManyCollectivesInFlightArriveWhateverTheOrderOfWaiting) {
  ETUDE_NEEDS_MPIRUN();
  for (const int ranks : {2, 4}) {
    const ShellResult result = run_scene(ranks, "many_in_flight");
    EXPECT_EQ(result.exit_code, 0) << result.output << result.errors;
    EXPECT_EQ(seen(result.output, "all right", ranks).size(), static_cast<std::size_t>(ranks)) << result.output;
  }
}

TEST(Mpi, SeveralThreadsWaitAtOnce) {
  ETUDE_NEEDS_MPIRUN();
  const ShellResult result = run_scene(2, "threads");
  EXPECT_EQ(result.exit_code, 0) << result.output << result.errors;
  EXPECT_EQ(seen(result.output, "all right", 2).size(), 2U) << result.output;
}

TEST(Mpi, WhatIsTooLongForAnIntTravelsInPieces) {
  ETUDE_NEEDS_MPIRUN();
  for (const int ranks : {2, 3}) {
    const ShellResult result = run_scene(ranks, "pieces");
    EXPECT_EQ(result.exit_code, 0) << result.output << result.errors;
    EXPECT_EQ(seen(result.output, "all right", ranks).size(), static_cast<std::size_t>(ranks)) << result.output;
  }
}

TEST(Mpi, WrongArgumentsAreRefusedWithoutHarmToTheOtherRanks) {
  ETUDE_NEEDS_MPIRUN();
  const ShellResult result = run_scene(2, "refusals");
  EXPECT_EQ(result.exit_code, 0) << result.output << result.errors;
  const Seen refused = seen(result.output, "refused:", 2);
  ASSERT_EQ(refused.size(), 10U) << result.output;
  EXPECT_THAT(refused[0], HasSubstr("MPI has no arithmetic for BFloat16"));
  EXPECT_THAT(refused[1], HasSubstr("not contiguous"));
  EXPECT_THAT(refused[2], HasSubstr("no rank 2 among 2"));
  EXPECT_THAT(refused[3], HasSubstr("4 values do not make 2 parts of 3"));
  EXPECT_THAT(refused[4], HasSubstr("can be only once"));
}

TEST(Mpi, ErrorsOfTheLibraryNameTheOperationAndItsSize) {
  ETUDE_NEEDS_MPIRUN();
  const ShellResult result = run_scene(2, "truncated");
  const Seen failed = seen(result.output, "failed:", 2);
  ASSERT_EQ(failed.size(), 1U) << result.output << result.errors;
  EXPECT_THAT(failed[0], HasSubstr("all_to_all of 0 Float values failed"));
  EXPECT_THAT(failed[0], HasSubstr("MPI_ERR_TRUNCATE"));
}

TEST(Mpi, OneRankThatAbortsEndsThoseThatWaitForIt) {
  ETUDE_NEEDS_MPIRUN();
  const ShellResult result = run_scene(3, "one_aborts");
  EXPECT_EQ(result.exit_code, 7) << result.output << result.errors;
  EXPECT_THAT(result.output, HasSubstr("rank 1 gives up"));
}

TEST(Mpi, AnExceptionThatUnwindsTheCommunicatorLeavesNobodyHanging) {
  ETUDE_NEEDS_MPIRUN();
  const ShellResult result = run_scene(3, "one_unwinds");
  EXPECT_EQ(result.exit_code, 3) << result.output << result.errors;
  EXPECT_THAT(result.output, HasSubstr("caught no such shard"));
}

TEST(Mpi, IsChosenUnderALauncherOfSeveralRanksAndOtherwiseNot) {
  ETUDE_NEEDS_MPIRUN();
  EXPECT_THAT(run_scene(2, "name", "").output, HasSubstr("rank 1 is MPI ("));
  EXPECT_THAT(run_scene(1, "name", "").output, HasSubstr("rank 0 is single process"));
  EXPECT_THAT(run_scene(1, "name").output, HasSubstr("rank 0 is MPI ("));
  const ShellResult alone = etude::testing::run_shell(program_beside_this("comm_ranks") + " name");
  EXPECT_EQ(alone.output, "rank 0 is single process\n");
}

}  // namespace
