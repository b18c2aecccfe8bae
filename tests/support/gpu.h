#pragma once

#include <cstdlib>
#include <exception>
#include <string>

#include "framework/device/cuda_module.h"

namespace etude::testing {

/// Loads this build's part for GPUs. Throws as load_cuda_module() does.
inline device::CudaModule& cuda_module() {
  return device::load_cuda_module(std::getenv("ETUDE_CUDA_MODULE") ? device::cuda_module_file()
                                                                   : ETUDE_BINARY_DIR "/libetude_cuda.so");
}

/// Why nothing can be computed on a GPU here, or nothing where it can.
inline std::string why_no_gpu() {
  try {
    return cuda_module().devices() > 0 ? "" : "no GPU is seen here";
  } catch (const std::exception& problem) {
    return problem.what();
  }
}

}  // namespace etude::testing

/// Skips the running test, with the reason, where there is no GPU. First thing in a test: LibTorch must not have been
/// asked for a GPU before.
#define ETUDE_NEEDS_GPU()                                    \
  do {                                                       \
    const std::string reason = etude::testing::why_no_gpu(); \
    if (!reason.empty()) GTEST_SKIP() << reason;             \
  } while (false)
