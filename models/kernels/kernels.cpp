#include "models/kernels/kernels.h"

#include <cstdlib>
#include <string>

#include "framework/config/error.h"

namespace etude::models {

// Each defined by isa.cpp as compiled for one instruction set.
#define ETUDE_DECLARE_KERNELS(name) \
  namespace name {                  \
  extern const Kernels kKernels;    \
  }
ETUDE_DECLARE_KERNELS(baseline)
#ifdef ETUDE_X86_KERNELS
ETUDE_DECLARE_KERNELS(avx2)
ETUDE_DECLARE_KERNELS(avx512)
ETUDE_DECLARE_KERNELS(avx512_bf16)
#endif

namespace {

const Kernels* chosen = nullptr;

const Kernels& choose() {
  const char* wanted = std::getenv("ETUDE_KERNELS");
  if (wanted == nullptr || *wanted == '\0') return *available_kernels().back();
  std::string names;
  for (const Kernels* kernels : available_kernels()) {
    if (std::string(wanted) == kernels->name) return *kernels;
    names += std::string(names.empty() ? "" : ", ") + kernels->name;
  }
  throw UsageError("ETUDE_KERNELS=" + std::string(wanted) + ": this processor and this build have " + names);
}

}  // namespace

std::vector<const Kernels*> available_kernels() {
  std::vector<const Kernels*> available = {&baseline::kKernels};
#ifdef ETUDE_X86_KERNELS
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return available;
  available.push_back(&avx2::kKernels);
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512dq")) {
    return available;
  }
  available.push_back(&avx512::kKernels);
  if (__builtin_cpu_supports("avx512bf16")) available.push_back(&avx512_bf16::kKernels);
#endif
  return available;
}

const Kernels& kernels() {
  static const Kernels& first_choice = choose();
  return chosen != nullptr ? *chosen : first_choice;
}

void use_kernels(const Kernels* kernels) { chosen = kernels; }

}  // namespace etude::models
