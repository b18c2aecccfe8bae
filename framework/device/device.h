#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <c10/core/Device.h>

#include "framework/comm/communicator.h"

namespace etude::device {

enum class Choice {
  kAuto,  ///< a GPU where there is one
  kCpu,
  kCuda,
};

/// Where a rank computes.
struct Seat {
  c10::Device device = c10::kCPU;
  std::string name = "CPU";  ///< "NVIDIA H100 80GB HBM3"
};

/// This rank's device: the CPU, or of the GPUs that the process sees the one of its place among the machine's ranks
/// (the only one, where a scheduler gives each rank a GPU of its own). Call it before tensors are made. With kAuto,
/// when there is a GPU that cannot be used, `warn` is told why. Throws UsageError with the way out when kCuda cannot be
/// had.
Seat choose_seat(Choice choice, int local_rank, const std::function<void(const std::string&)>& warn);

/// What ranks that sit on GPUs move tensors with: NCCL, beside `host`, which must outlive it. Null where `host` alone
/// does: for ranks on the CPU and for one that is alone. Every rank calls it. Throws UsageError when two ranks would
/// share a GPU.
std::unique_ptr<comm::Communicator> connect(comm::Communicator& host, const Seat& seat);

/// Asks LibTorch for kernels that add in a fixed order, where it has them, so that a GPU gives the same bits each time.
void ask_for_repeatable_kernels();

/// The most floating-point operations a second that a GPU does on dense bfloat16 matrices (float16 on those that have
/// no bfloat16), by its maker's data sheet; nothing for GPUs that are not in the list.
std::optional<double> peak_flops(const std::string& gpu);

}  // namespace etude::device
