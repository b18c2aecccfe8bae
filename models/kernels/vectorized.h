#pragma once

#include <cstdint>

#if defined(__x86_64__)
#define ETUDE_X86 1
#endif

/// Loops written plainly, compiled for several widths of vectors in one binary: a body marked ETUDE_INLINE is inlined
/// into one wrapper per instruction set, where the compiler vectorises it, and the widest that the processor has runs.
#define ETUDE_INLINE inline __attribute__((always_inline))

namespace etude::models {

enum class VectorWidth { kBaseline, kAvx2, kAvx512 };

inline VectorWidth vector_width() {
#ifdef ETUDE_X86
  static const VectorWidth width = [] {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq")) {
      return VectorWidth::kAvx512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return VectorWidth::kAvx2;
    return VectorWidth::kBaseline;
  }();
  return width;
#else
  return VectorWidth::kBaseline;
#endif
}

#ifdef ETUDE_X86
template <auto body, typename... Arguments>
__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma"))) void run_avx512(Arguments... arguments) {
  body(arguments...);
}

template <auto body, typename... Arguments>
__attribute__((target("avx2,fma"))) void run_avx2(Arguments... arguments) {
  body(arguments...);
}
#endif

/// Calls `body`, an ETUDE_INLINE function, as compiled for this processor.
template <auto body, typename... Arguments>
void vectorized(Arguments... arguments) {
#ifdef ETUDE_X86
  switch (vector_width()) {
    case VectorWidth::kAvx512:
      return run_avx512<body, Arguments...>(arguments...);
    case VectorWidth::kAvx2:
      return run_avx2<body, Arguments...>(arguments...);
    case VectorWidth::kBaseline:
      break;
  }
#endif
  body(arguments...);
}

}  // namespace etude::models
