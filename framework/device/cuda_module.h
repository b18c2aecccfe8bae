#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "framework/comm/nccl_calls.h"

namespace etude::device {

/// All of Etude that needs CUDA: a shared library of its own, libetude_cuda.so, so that the program starts without CUDA
/// and runs where there is none.
class CudaModule {
 public:
  virtual ~CudaModule() = default;
  /// How many GPUs this process sees. Throws Error with the driver's words when it cannot be asked.
  virtual int devices() = 0;
  /// "NVIDIA H100 80GB HBM3"
  virtual std::string name(int device) = 0;
  /// What no two GPUs have in common: UUID, as nvidia-smi -L shows it.
  virtual std::string uuid(int device) = 0;
  /// Makes `device` the one that this thread computes on.
  virtual void use(int device) = 0;

  /// What rank 0 makes, and all give to connect().
  virtual std::string new_nccl_id() = 0;
  /// Brings NCCL up, together with the other ranks. Throws Error when that fails.
  virtual std::unique_ptr<comm::NcclCalls> connect(const std::string& id, int rank, int size, int device) = 0;
};

/// Where libetude_cuda.so is: named by ETUDE_CUDA_MODULE, beside the program, or in ../lib of that.
std::filesystem::path cuda_module_file();

/// Loads the module, once. It must be before LibTorch is asked for a GPU: that remembers that there is none. Throws
/// UsageError with the way out when the module is missing or a library that it needs.
CudaModule& load_cuda_module(const std::filesystem::path& file = cuda_module_file());

/// The one thing that the library exports under a plain name.
inline constexpr const char* kCudaModuleEntry = "etude_cuda_module";
using CudaModuleEntry = CudaModule* (*)(int interface);
/// Changed with everything above, so that a library of another build is not taken for this one's.
inline constexpr int kCudaModuleInterface = 1;

}  // namespace etude::device
