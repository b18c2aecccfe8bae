#include "framework/device/cuda_module.h"

#include <cstdlib>

#include <dlfcn.h>
#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::device {

namespace fs = std::filesystem;

fs::path cuda_module_file() {
  if (const char* given = std::getenv("ETUDE_CUDA_MODULE"); given != nullptr && *given != '\0') return given;
  constexpr const char* kName = "libetude_cuda.so";
  std::error_code ignored;
  const fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  const fs::path installed = folder / ".." / "lib" / kName;
  return !fs::exists(folder / kName, ignored) && fs::exists(installed, ignored) ? installed : folder / kName;
}

CudaModule& load_cuda_module(const fs::path& file) {
  static CudaModule* loaded = nullptr;
  if (loaded != nullptr) return *loaded;
  constexpr const char* kWayOut =
      "'script/setup --cuda' installs CUDA's libraries and 'script/build' builds it; train.device=cpu does without";
  std::error_code ignored;
  if (!fs::exists(file, ignored)) {
    throw UsageError(fmt::format("this build has no part for GPUs ({} is not there): {}", file.string(), kWayOut));
  }
  void* const library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw UsageError(fmt::format("the part for GPUs cannot be loaded: {}: {}", ::dlerror(), kWayOut));
  }
  const auto entry = reinterpret_cast<CudaModuleEntry>(::dlsym(library, kCudaModuleEntry));
  CudaModule* const found = entry != nullptr ? entry(kCudaModuleInterface) : nullptr;
  if (found == nullptr) {
    throw UsageError(fmt::format("{}: belongs to another build of Etude: {}", file.string(), kWayOut));
  }
  loaded = found;
  return *loaded;
}

}  // namespace etude::device
