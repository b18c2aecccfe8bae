#include "models/kernels/kernels.h"

namespace etude::models {

// Each defined by isa.cpp as compiled for one instruction set.
namespace baseline {
extern const Kernels kKernels;
}
#ifdef ETUDE_X86_KERNELS
namespace avx2 {
extern const Kernels kKernels;
}
namespace avx512 {
extern const Kernels kKernels;
}
namespace avx512_bf16 {
extern const Kernels kKernels;
}
#endif

const Kernels& kernels() {
#ifdef ETUDE_X86_KERNELS
  static const Kernels& best = []() -> const Kernels& {
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    if (avx512 && __builtin_cpu_supports("avx512bf16")) return avx512_bf16::kKernels;
    if (avx512) return avx512::kKernels;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2::kKernels;
    return baseline::kKernels;
  }();
  return best;
#else
  return baseline::kKernels;
#endif
}

}  // namespace etude::models
