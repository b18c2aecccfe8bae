#include "framework/device/device.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include <ATen/Context.h>
#include <fmt/format.h>

#include "framework/comm/nccl.h"
#include "framework/config/error.h"
#include "framework/device/cuda_module.h"

namespace etude::device {
namespace {

/// Whether a driver is there, told without loading anything: NVIDIA's, or Windows' one under WSL.
bool has_gpu_driver() {
  std::error_code ignored;
  return std::filesystem::exists("/dev/nvidiactl", ignored) || std::filesystem::exists("/dev/dxg", ignored);
}

Seat seat_on_gpu(int local_rank) {
  CudaModule& cuda = load_cuda_module();
  const int gpus = cuda.devices();
  if (gpus == 0) {
    throw UsageError(
        "no GPU is seen here (nvidia-smi lists what the driver sees, CUDA_VISIBLE_DEVICES may hide it); "
        "train.device=cpu does without");
  }
  if (gpus > 1 && local_rank >= gpus) {
    throw UsageError(
        fmt::format("this machine has {} GPUs and at least {} ranks, and each rank needs one of its own: "
                    "start at most {} ranks a machine",
                    gpus, local_rank + 1, gpus));
  }
  const int index = gpus == 1 ? 0 : local_rank;
  cuda.use(index);
  return {c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(index)), cuda.name(index)};
}

/// Two ranks that think they have a GPU each: NCCL would only say 'invalid usage'.
void check_that_gpus_differ(comm::Communicator& host, const std::string& uuid) {
  const std::vector<std::string> all = comm::all_gather_text(host, uuid);
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    const auto same = std::find(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(rank), all[rank]);
    if (same == all.begin() + static_cast<std::ptrdiff_t>(rank)) continue;
    throw UsageError(
        fmt::format("ranks {} and {} would share one GPU ({}), and each needs one of its own: start as many ranks on a "
                    "machine as it has GPUs, or compute on the CPU with train.device=cpu",
                    same - all.begin(), rank, all[rank]));
  }
}

}  // namespace

Seat choose_seat(Choice choice, int local_rank, const std::function<void(const std::string&)>& warn) {
  if (choice == Choice::kCpu || (choice == Choice::kAuto && !has_gpu_driver())) return {};
  try {
    return seat_on_gpu(local_rank);
  } catch (const Error& problem) {
    if (choice == Choice::kAuto) {
      warn(fmt::format("computing on the CPU, though there seems to be a GPU: {}", problem.what()));
      return {};
    }
    if (dynamic_cast<const UsageError*>(&problem) != nullptr) throw;
    throw UsageError(fmt::format("{}; train.device=cpu does without", problem.what()));
  }
}

std::unique_ptr<comm::Communicator> connect(comm::Communicator& host, const Seat& seat) {
  if (seat.device.is_cpu() || host.size() == 1) return nullptr;
  CudaModule& cuda = load_cuda_module();
  check_that_gpus_differ(host, cuda.uuid(seat.device.index()));
  const std::string id = comm::broadcast_text(host, host.rank() == 0 ? cuda.new_nccl_id() : "");
  auto calls = cuda.connect(id, host.rank(), host.size(), seat.device.index());
  return std::make_unique<comm::Nccl>(host, std::move(calls));
}

void ask_for_repeatable_kernels() {
  at::Context& context = at::globalContext();
  context.setDeterministicAlgorithms(true, /*warn_only=*/true);
  context.setDeterministicFillUninitializedMemory(false);
  // The one fused attention whose backward has no fixed order.
  context.setSDPUseMemEfficient(false);
}

std::optional<double> peak_flops(const std::string& gpu) {
  struct Known {
    const char* part_of_name;
    double teraflops;
  };
  // The first that fits counts, so longer names come before their beginnings.
  static constexpr Known kKnown[] = {
      {"B200", 2250}, {"GH200", 989}, {"H200 NVL", 835}, {"H200", 989}, {"H100 NVL", 835}, {"H100 PCIe", 756},
      {"H100", 989},  {"A100", 312},  {"A800", 312},     {"A30", 165},  {"A40", 149.7},    {"A10G", 70},
      {"A10", 125},   {"L40S", 362},  {"L40", 181},      {"L4", 121},   {"V100", 125},     {"T4", 65}};
  for (const Known& known : kKnown) {
    if (gpu.find(known.part_of_name) != std::string::npos) return known.teraflops * 1e12;
  }
  return std::nullopt;
}

}  // namespace etude::device
