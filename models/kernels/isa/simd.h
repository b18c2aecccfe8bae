#pragma once

#include <cstdint>
#include <cstring>

#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

/// Vectors of the one instruction set that the including file is compiled for: ETUDE_ISA names it and its namespace,
/// ETUDE_LANES says how many floats a vector has. Only isa.cpp includes this, once per instruction set; nothing here or
/// there may call inline functions of the standard library, whose copies the linker shares with everybody else.
namespace etude::models::ETUDE_ISA {

constexpr std::int64_t kLanes = ETUDE_LANES;
typedef float Floats __attribute__((vector_size(4 * ETUDE_LANES)));
typedef std::int32_t Ints __attribute__((vector_size(4 * ETUDE_LANES)));
typedef std::uint32_t Bits __attribute__((vector_size(4 * ETUDE_LANES)));
typedef std::uint16_t Shorts __attribute__((vector_size(2 * ETUDE_LANES)));
// The same wherever they stand in memory. (Copied with memcpy they would travel in 16-byte pieces.)
typedef float FloatsAnywhere __attribute__((vector_size(4 * ETUDE_LANES), aligned(1), may_alias));
typedef std::uint32_t BitsAnywhere __attribute__((vector_size(4 * ETUDE_LANES), aligned(1), may_alias));
typedef std::uint16_t ShortsAnywhere __attribute__((vector_size(2 * ETUDE_LANES), aligned(1), may_alias));

/// bfloat16 as it lies in memory: the upper half of a float32.
enum class Bfloat16 : std::uint16_t {};

inline std::int64_t smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
inline std::int64_t larger(std::int64_t a, std::int64_t b) { return a < b ? b : a; }
inline std::int64_t round_up(std::int64_t n, std::int64_t unit) { return (n + unit - 1) / unit * unit; }

inline Floats all(float x) { return x - Floats{}; }

inline Floats load(const float* from) { return *reinterpret_cast<const FloatsAnywhere*>(from); }
inline void store(float* to, Floats x) { *reinterpret_cast<FloatsAnywhere*>(to) = x; }
inline Bits load(const std::uint32_t* from) { return *reinterpret_cast<const BitsAnywhere*>(from); }
inline void store(std::uint32_t* to, Bits x) { *reinterpret_cast<BitsAnywhere*>(to) = x; }
inline Shorts load(const std::uint16_t* from) { return *reinterpret_cast<const ShortsAnywhere*>(from); }
inline void store(std::uint16_t* to, Shorts x) { *reinterpret_cast<ShortsAnywhere*>(to) = x; }

inline Floats load(const Bfloat16* from) {
  const Shorts upper = load(reinterpret_cast<const std::uint16_t*>(from));
  return reinterpret_cast<Floats>(__builtin_convertvector(upper, Bits) << 16);
}
/// The bits of x rounded to the nearest bfloat16, ties to even, in the upper half of each lane; NaN stays NaN.
inline Bits rounded(Floats x) {
  const Bits bits = reinterpret_cast<Bits>(x);
  const Bits nearest = bits + 0x7fff + (bits >> 16 & 1);
  return reinterpret_cast<Bits>(x == x) ? nearest & 0xffff0000 : bits | 0x00400000;
}
inline void store(Bfloat16* to, Floats x) {
  store(reinterpret_cast<std::uint16_t*>(to), __builtin_convertvector(rounded(x) >> 16, Shorts));
}

inline float value(float x) { return x; }
inline float value(Bfloat16 x) {
  const std::uint32_t bits = static_cast<std::uint32_t>(x) << 16;
  float y;
  std::memcpy(&y, &bits, sizeof(y));
  return y;
}
/// The first `count` values from `from`, then zeros.
template <typename T>
inline Floats load_some(const T* from, std::int64_t count) {
  T values[kLanes] = {};
  std::memcpy(values, from, static_cast<std::size_t>(count) * sizeof(T));
  return load(values);
}
template <typename T>
inline void store_some(T* to, Floats x, std::int64_t count) {
  T values[kLanes];
  store(values, x);
  std::memcpy(to, values, static_cast<std::size_t>(count) * sizeof(T));
}

inline Floats maximum(Floats a, Floats b) { return a < b ? b : a; }
inline float sum(Floats x) {
  float total = 0;
  for (int i = 0; i < kLanes; ++i) total += x[i];
  return total;
}
inline float largest(Floats x) {
  float most = x[0];
  for (int i = 1; i < kLanes; ++i) most = most < x[i] ? x[i] : most;
  return most;
}

/// 0, 1, 2, …
inline Ints lane_numbers() {
  Ints numbers;
  for (int i = 0; i < kLanes; ++i) numbers[i] = i;
  return numbers;
}

/// Rows of a square become its columns, in steps that exchange ever larger blocks beside the diagonal.
template <std::int64_t kStep = 1>
[[gnu::always_inline]] inline void transpose(Floats (&rows)[kLanes]) {
  if constexpr (kStep < kLanes) {
    constexpr std::int32_t step = static_cast<std::int32_t>(kStep), lanes = static_cast<std::int32_t>(kLanes);
    const Ints lane = lane_numbers(), right = (lane & step) != 0;
    const Ints upper = right ? lane + (lanes - step) : lane, lower = right ? lane + lanes : lane + step;
#pragma GCC unroll 16
    for (std::int64_t i = 0; i < kLanes; ++i) {
      if ((i & kStep) != 0) continue;
      const Floats a = rows[i], b = rows[i + kStep];
      rows[i] = __builtin_shuffle(a, b, upper);
      rows[i + kStep] = __builtin_shuffle(a, b, lower);
    }
    transpose<2 * kStep>(rows);
  }
}

/// e^x by Cody and Waite's reduction and a polynomial, within 2 units in the last place, for x up to 88; 0 where it
/// would be subnormal.
inline Floats exponential(Floats x) {
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer, which stands in the lowest bits
  const Floats bounded = x < -87.0F ? all(-87.0F) : x;
  const Floats shifted = bounded * 1.44269504F + kRound;
  const Floats n = shifted - kRound;
  const Floats r = (bounded - n * 0.693359375F) + n * 2.12194440e-4F;
  Floats p = r * 1.9875691500e-4F + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * (r * r) + (r + 1.0F);
  const Floats power = reinterpret_cast<Floats>((reinterpret_cast<Ints>(shifted) + 127) << 23);
  return x < -87.0F ? Floats{} : p * power;
}

/// How products are made: of float32, or of bfloat16 in pairs that are multiplied and added to float32 at once. An
/// Element is what a factor is read as, and holds kDepth values of the dimension that is summed over.
struct FloatProducts {
  using Element = float;
  typedef Floats Elements;
  static constexpr std::int64_t kDepth = 1;
  static Floats multiply_add(float a, Elements b, Floats sum) { return sum + a * b; }
};

struct PairProducts {
  using Element = std::uint32_t;
  typedef Bits Elements;
  static constexpr std::int64_t kDepth = 2;
  static Floats multiply_add(std::uint32_t a, Elements b, Floats sum) {
#ifdef __AVX512BF16__
    const __m512i both = _mm512_set1_epi32(static_cast<int>(a));
    return reinterpret_cast<Floats>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sum), reinterpret_cast<__m512bh>(both),
                                                     reinterpret_cast<__m512bh>(b)));
#else
    const Bits both = a + Bits{};
    const auto upper = [](Bits x) { return reinterpret_cast<Floats>(x & 0xffff0000); };
    const auto lower = [](Bits x) { return reinterpret_cast<Floats>(x << 16); };
    return sum + lower(both) * lower(b) + upper(both) * upper(b);
#endif
  }
};

}  // namespace etude::models::ETUDE_ISA
