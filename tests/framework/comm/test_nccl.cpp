// NCCL between GPUs, where there are some. One process a rank; ranks meet by TCP.
#include <sstream>

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/comm/nccl.h"
#include "framework/comm/single_process.h"
#include "framework/config/error.h"
#include "tests/support/gpu.h"
#include "tests/support/mpi.h"
#include "tests/support/tcp.h"

namespace {

using namespace etude::comm;
using etude::testing::cuda_module;
using ::testing::Each;
using ::testing::HasSubstr;

std::string seen(const std::string& output, std::size_t rank, const std::string& what) {
  const std::string start = fmt::format("rank {} {} ", rank, what);
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind(start, 0) == 0) return line.substr(start.size());
  }
  return "nothing; it printed:\n" + output;
}

etude::testing::RanksResult run_scene(const std::string& scene, int ranks) {
  return etude::testing::run_ranks(std::vector<std::string>(static_cast<std::size_t>(ranks)),
                                   etude::testing::program_beside_this("gpu_ranks") + " " + scene,
                                   etude::testing::free_port(), 120);
}

/// A rank alone: NCCL does all that it does between several.
TEST(Nccl, OneRankGetsItsOwnValuesBack) {
  ETUDE_NEEDS_GPU();
  cuda_module().use(0);
  SingleProcess host;
  Nccl communicator(host, cuda_module().connect(cuda_module().new_nccl_id(), 0, 1, 0));
  EXPECT_THAT(communicator.name(), HasSubstr("NCCL 2."));
  const auto options = at::TensorOptions().dtype(at::kFloat).device(at::kCUDA, 0);
  const auto up = [&](std::int64_t from, std::int64_t count) { return at::arange(from, from + count, options); };

  const at::Tensor values = up(1, 1000);
  communicator.all_reduce(values, ReduceOp::kSum)->wait();
  EXPECT_TRUE(values.equal(up(1, 1000)));
  const at::Tensor received = at::empty({7}, options);
  communicator.all_to_all(received, {7}, up(3, 7), {7})->wait();
  EXPECT_TRUE(received.equal(up(3, 7)));
  const at::Tensor gathered = at::empty({5}, options);
  communicator.all_gather(gathered, up(2, 5), {5})->wait();
  EXPECT_TRUE(gathered.equal(up(2, 5)));
  EXPECT_THROW(communicator.all_reduce(up(0, 6).view({2, 3}).t(), ReduceOp::kSum), etude::Error);
}

TEST(Nccl, TwoRanksGetTheNumbersWorkedByHand) {
  ETUDE_NEEDS_GPU();
  if (cuda_module().devices() < 2) GTEST_SKIP() << "there is one GPU here; this needs two";
  const auto result = run_scene("collectives", 2);
  ASSERT_THAT(result.exit_codes, Each(0)) << result.outputs[0] << result.outputs[1];
  for (std::size_t rank = 0; rank < 2; ++rank) {
    const std::string& output = result.outputs[rank];
    for (const char* type : {"Float", "Double", "Long", "Int", "Byte", "BFloat16"}) {
      EXPECT_EQ(seen(output, rank, fmt::format("all_reduce sum {}:", type)), "3 5");  // (1 2) + (2 3)
      EXPECT_EQ(seen(output, rank, fmt::format("all_reduce min {}:", type)), "1 2");
      EXPECT_EQ(seen(output, rank, fmt::format("all_reduce max {}:", type)), "2 3");
    }
    EXPECT_EQ(seen(output, rank, "broadcast:"), "10 11 12");
    EXPECT_EQ(seen(output, rank, "reduce_scatter:"), rank == 0 ? "1 3" : "5 7");  // (0 1 2 3) + (1 2 3 4)
    EXPECT_EQ(seen(output, rank, "all_gather:"), "0 10 11");                      // one value of rank 0, two of rank 1
    EXPECT_EQ(seen(output, rank, "all_gather in place:"), "7 8");
    EXPECT_EQ(seen(output, rank, "all_to_all:"), rank == 0 ? "0 100 101" : "1 102 103");
    EXPECT_EQ(seen(output, rank, "of the CPU:"), "3");
  }
}

TEST(Nccl, TheComputingStreamSeesWhatItWaitedFor) {
  ETUDE_NEEDS_GPU();
  if (cuda_module().devices() < 2) GTEST_SKIP() << "there is one GPU here; this needs two";
  const auto result = run_scene("ordered", 2);
  EXPECT_THAT(result.exit_codes, Each(0)) << result.outputs[0] << result.outputs[1];
}

TEST(Nccl, TheDeathOfARankEndsTheOthers) {
  ETUDE_NEEDS_GPU();
  if (cuda_module().devices() < 2) GTEST_SKIP() << "there is one GPU here; this needs two";
  const auto result = run_scene("one_dies", 2);
  EXPECT_EQ(result.exit_codes[0], 1);
  EXPECT_THAT(result.outputs[0], HasSubstr("rank failed:"));
}

}  // namespace
