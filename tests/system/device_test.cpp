// Which device a run takes, as a user meets it on a machine without a GPU, and ranks that were started without MPI.
#include <filesystem>

#include <gmock/gmock.h>

#include "tests/support/tcp.h"
#include "tests/system/program.h"

namespace etude::testing {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

bool driver_here() { return std::filesystem::exists("/dev/nvidiactl") || std::filesystem::exists("/dev/dxg"); }

TEST(DeviceOfARun, CudaWithoutAGpuIsRefusedWithTheWayOutAndLeavesNoRunBehind) {
  if (driver_here()) GTEST_SKIP() << "there is an NVIDIA driver here";
  const Workshop shop;
  const ShellResult result = etude(shop.train("run", 2, "--set train.device=cuda"));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("train.device=cpu does without"));
  EXPECT_FALSE(std::filesystem::exists(shop.run("run")));

  EXPECT_EQ(etude(shop.train("run", 2, "--set train.device=auto")).exit_code, 0);
  const ShellResult evaluated = etude("evaluate " + shop.run("run").string() + " --device cuda");
  EXPECT_EQ(evaluated.exit_code, 2);
  EXPECT_THAT(evaluated.errors, HasSubstr("train.device=cpu does without"));
  EXPECT_EQ(etude("evaluate " + shop.run("run").string() + " --device auto").exit_code, 0);
}

TEST(DeviceOfARun, ThePartForGpusLoadsWhereItsLibrariesAre) {
  if (driver_here()) GTEST_SKIP() << "there is an NVIDIA driver here";
  if (!std::filesystem::exists(ETUDE_BINARY_DIR "/libetude_cuda.so")) GTEST_SKIP() << "this build has no part for GPUs";
  std::string libraries;  // those that PyTorch brought for itself
  const std::filesystem::path packages = ETUDE_SOURCE_DIR "/.deps/oracle/lib";
  for (const auto& python : std::filesystem::directory_iterator(packages)) {
    for (const char* part : {"cu13", "cudnn", "cusparselt", "nccl", "nvshmem"}) {
      const auto folder = python.path() / "site-packages" / "nvidia" / part / "lib";
      if (std::filesystem::exists(folder)) libraries += folder.string() + ":";
    }
  }
  if (libraries.empty()) GTEST_SKIP() << "CUDA's libraries are not here (script/setup --test brings them)";
  const Workshop shop;
  const ShellResult result = run_shell("LD_LIBRARY_PATH=" + libraries + " " + etude_program() + " " +
                                       shop.train("run", 2, "--set train.device=cuda"));
  EXPECT_EQ(result.exit_code, 2);
  // It is CUDA that answers: there is no driver, or no GPU.
  EXPECT_THAT(result.errors, AllOf(::testing::AnyOf(HasSubstr("no GPU is seen"), HasSubstr("cudaGetDeviceCount")),
                                   Not(HasSubstr("cannot be loaded"))));
}

TEST(RanksWithoutMpi, EndWithTheBitsOfOneRank) {
  const Workshop shop;
  ASSERT_EQ(etude(shop.train("alone", 30)).exit_code, 0);
  const RanksResult result = run_ranks({"", ""}, etude_program() + " " + shop.train("two", 30), free_port(), 200);
  EXPECT_THAT(result.exit_codes, Each(0)) << result.outputs[0] << result.outputs[1];
  EXPECT_TRUE(shop.weights("two") == shop.weights("alone"));
  EXPECT_THAT(slurp(shop.run("two") / "environment.json"), HasSubstr("TCP (localhost:"));
}

TEST(ModelFlopsUtilisation, IsTheShareOfThePeakThatTheUserNames) {
  const Workshop shop;
  ASSERT_EQ(etude(shop.train("run", 3, "--set train.peak_tflops=0.5")).exit_code, 0);
  ASSERT_EQ(etude(shop.train("unknown", 3)).exit_code, 0);
  EXPECT_TRUE(metrics_with(shop.run("unknown"), "mfu").empty());
  const auto rows = metrics_with(shop.run("run"), "mfu");
  ASSERT_EQ(rows.size(), 3u);
  // Two layers of width 32 on sequences of 48: 6 (2 * 12 * 32^2 + vocabulary * 32) + 6 * 2 * 32 * 48 operations a
  // token.
  const auto pack = nlohmann::json::parse(slurp(shop.pack() / "pack.json"));
  const double operations = 6.0 * (2 * 12 * 1024 + static_cast<double>(pack["vocabulary"].size()) * 32) + 18432;
  for (const auto& row : rows) {
    const double share = row["tokens_per_second"].get<double>() * operations / 0.5e12;
    EXPECT_NEAR(row["mfu"].get<double>() / share, 1, 1e-9);
  }
}

}  // namespace
}  // namespace etude::testing
