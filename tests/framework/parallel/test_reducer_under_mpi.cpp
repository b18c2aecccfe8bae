#include <cmath>
#include <cstdlib>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/framework/parallel/made_gradients.h"
#include "tests/support/mpi.h"

namespace {

using etude::testing::run_mpi;
using etude::testing::ShellResult;

ShellResult reduce(int ranks, int grains, const std::string& reduction, const std::string& output) {
  const std::string program = etude::testing::program_beside_this("reducer_ranks");
  return run_mpi(ranks, fmt::format("{} {} {} {}", program, grains, reduction, output), 60, "ETUDE_COMM=mpi");
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

TEST(ReducerUnderMpi, OneTwoThreeAndFourRanksGiveTheSameBits) {
  ETUDE_NEEDS_MPIRUN();
  for (const int grains : {8, 6}) {
    std::set<std::string> hashes;
    for (const int ranks : {1, 2, 3, 4}) {
      const ShellResult result = reduce(ranks, grains, "tree", "hash");
      ASSERT_EQ(result.exit_code, 0) << result.errors;
      const std::vector<std::string> words = words_of(result.output);
      EXPECT_EQ(words.size(), static_cast<std::size_t>(3 * ranks));
      hashes.insert(words.begin(), words.end());
    }
    EXPECT_EQ(hashes.size(), 1U) << grains << " grains: every step of every rank should have had the same bits";
  }
}

TEST(ReducerUnderMpi, BothReductionsAreCloseToNumpysSumInFloat64) {
  ETUDE_NEEDS_MPIRUN();
  if (!etude::testing::oracle_python()) GTEST_SKIP() << "no oracle Python (script/setup --test)";
  constexpr int kGrains = 6;
  std::string arrays;
  for (std::int64_t grain = 0; grain < kGrains; ++grain) {
    arrays += "[";
    for (std::size_t parameter = 0; parameter < 2; ++parameter) {
      for (const float value : etude::testing::made_gradient(grain, parameter, parameter == 0 ? 5 : 3)) {
        arrays += fmt::format("{:.9g},", value);
      }
    }
    arrays += "],";
  }
  const std::vector<std::string> wanted = words_of(etude::testing::run_python(
      "import numpy\n"
      "values = numpy.array([" +
      arrays +
      "], dtype=numpy.float64)\n"
      "for exact, size in zip(values.sum(0), abs(values).sum(0)): print(repr(float(exact)), repr(float(size)))\n"));
  ASSERT_EQ(wanted.size(), 16U);
  for (const char* reduction : {"tree", "fast"}) {
    for (const int ranks : {1, 2, 3}) {
      const ShellResult result = reduce(ranks, kGrains, reduction, "values");
      const std::vector<std::string> sums = words_of(result.output);
      ASSERT_EQ(sums.size(), 8U) << result.errors;
      for (std::size_t i = 0; i < sums.size(); ++i) {
        EXPECT_NEAR(std::stod(sums[i]), std::stod(wanted[2 * i]),
                    kGrains * std::ldexp(std::stod(wanted[2 * i + 1]), -24))
            << reduction << " on " << ranks << " ranks";
      }
    }
  }
}

}  // namespace
