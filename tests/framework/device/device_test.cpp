#include "framework/device/device.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/comm/single_process.h"
#include "framework/config/error.h"
#include "framework/device/cuda_module.h"
#include "tests/support/gpu.h"
#include "tests/support/oracle.h"

namespace etude::device {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

void nothing_to_warn_of(const std::string& why) { ADD_FAILURE() << why; }

/// The words with which `call` refuses as misuse, which the program ends with exit code 2.
template <typename Call>
std::string refusal(Call call) {
  try {
    call();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "it did not refuse";
}

TEST(Device, TheCpuIsTakenWhenAskedFor) {
  const Seat seat = choose_seat(Choice::kCpu, 3, nothing_to_warn_of);
  EXPECT_TRUE(seat.device.is_cpu());
  comm::SingleProcess alone;
  EXPECT_EQ(connect(alone, seat), nullptr);
}

TEST(Device, AutoIsTheCpuWithoutAWordWhereThereIsNoGpu) {
  if (std::filesystem::exists("/dev/nvidiactl")) GTEST_SKIP() << "there is an NVIDIA driver here";
  EXPECT_TRUE(choose_seat(Choice::kAuto, 0, nothing_to_warn_of).device.is_cpu());
}

TEST(Device, WithoutAGpuCudaIsRefusedWithTheWayOut) {
  if (testing::why_no_gpu().empty()) GTEST_SKIP() << "there is a GPU here";
  EXPECT_THAT(refusal([] { choose_seat(Choice::kCuda, 0, nothing_to_warn_of); }), HasSubstr("train.device=cpu"));
}

TEST(Device, AModuleThatIsMissingOrBrokenIsNamedWithTheWayOut) {
  const testing::TemporaryFolder folder;
  const auto file = folder.path() / "libetude_cuda.so";
  EXPECT_THAT(refusal([&] { load_cuda_module(file); }),
              AllOf(HasSubstr(file.string()), HasSubstr("script/setup --cuda")));
  std::ofstream(file) << "no library";
  EXPECT_THAT(refusal([&] { load_cuda_module(file); }),
              AllOf(HasSubstr(file.string()), HasSubstr("script/setup --cuda")));
}

// NVIDIA's data sheets: dense tensor throughput without sparsity.
TEST(Device, KnowsWhatGpusCouldDo) {
  EXPECT_EQ(peak_flops("NVIDIA H100 80GB HBM3"), 989e12);
  EXPECT_EQ(peak_flops("NVIDIA H100 PCIe"), 756e12);
  EXPECT_EQ(peak_flops("NVIDIA H200"), 989e12);
  EXPECT_EQ(peak_flops("NVIDIA A100-SXM4-40GB"), 312e12);
  EXPECT_EQ(peak_flops("NVIDIA L4"), 121e12);
  EXPECT_EQ(peak_flops("NVIDIA L40S"), 362e12);
  EXPECT_EQ(peak_flops("NVIDIA A10"), 125e12);
  EXPECT_EQ(peak_flops("NVIDIA A10G"), 70e12);
  EXPECT_EQ(peak_flops("Tesla V100-SXM2-16GB"), 125e12);
  EXPECT_EQ(peak_flops("CPU"), std::nullopt);
}

}  // namespace
}  // namespace etude::device
