// libetude_cuda.so: what framework/device/cuda_module.h promises. Links LibTorch's CUDA backend, which registers itself
// when this is loaded.
#include <cstdlib>

#include <c10/cuda/CUDAFunctions.h>
#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include "framework/config/error.h"
#include "framework/device/cuda/nccl_calls.h"
#include "framework/device/cuda_module.h"

namespace etude::device {
namespace {

void check(cudaError_t result, const char* call) {
  if (result != cudaSuccess) throw Error(fmt::format("{}: {}", call, cudaGetErrorString(result)));
}

class Module : public CudaModule {
 public:
  int devices() override {
    int count = 0;
    const cudaError_t result = cudaGetDeviceCount(&count);
    if (result == cudaErrorNoDevice) return 0;
    check(result, "cudaGetDeviceCount");
    return count;
  }

  std::string name(int device) override {
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
    return properties.name;
  }

  std::string uuid(int device) override {
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
    std::string text = "GPU";
    for (std::size_t i = 0; i < sizeof properties.uuid.bytes; ++i) {
      if (i == 0 || i == 4 || i == 6 || i == 8 || i == 10) text += '-';
      text += fmt::format("{:02x}", static_cast<unsigned char>(properties.uuid.bytes[i]));
    }
    return text;
  }

  void use(int device) override { c10::cuda::set_device(static_cast<c10::DeviceIndex>(device)); }

  std::string new_nccl_id() override { return device::new_nccl_id(); }

  std::unique_ptr<comm::NcclCalls> connect(const std::string& id, int rank, int size, int device) override {
    return connect_nccl(id, rank, size, device);
  }
};

}  // namespace
}  // namespace etude::device

extern "C" __attribute__((visibility("default"))) etude::device::CudaModule* etude_cuda_module(int interface) {
  if (interface != etude::device::kCudaModuleInterface) return nullptr;
  // cuBLAS gives the same bits every time only with a workspace of fixed size, and reads this when it starts.
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  static etude::device::Module module;
  return &module;
}
