#pragma once

#include "models/kernels/isa/simd.h"

namespace etude::models::ETUDE_ISA {

/// GELU in its tanh form: x (1 + tanh(u)) / 2 = x / (1 + e^(-2u)) with u = sqrt(2/pi) (x + 0.044715 x^3).
struct Gelu {
  static constexpr float kTwiceRoot = 1.5957691216F;  // 2 sqrt(2/pi)
  static constexpr float kCubic = 0.044715F;

  /// x as far as it makes a difference: from there on the gate is 0 or 1, and powers of x would overflow.
  static Floats bounded(Floats x) {
    const Floats low = x < -10.0F ? all(-10.0F) : x;
    return low > 10.0F ? all(10.0F) : low;
  }
  /// 1 / (1 + e^(-2u)) of a bounded x.
  static Floats gate(Floats x) {
    return 1.0F / (1.0F + exponential(-x * (x * x * (kTwiceRoot * kCubic) + kTwiceRoot)));
  }

  static Floats forward(Floats x) { return x * gate(bounded(x)); }
  static Floats backward(Floats x, Floats gradient) {
    const Floats b = bounded(x), s = gate(b);
    return gradient * (s + b * s * (1.0F - s) * (b * b * (3.0F * kTwiceRoot * kCubic) + kTwiceRoot));
  }
};

template <typename T>
void gelu_forward(const void* x, void* y, std::int64_t size) {
  const T* from = static_cast<const T*>(x);
  T* to = static_cast<T*>(y);
  std::int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) store(to + i, Gelu::forward(load(from + i)));
  if (i < size) store_some(to + i, Gelu::forward(load_some(from + i, size - i)), size - i);
}

template <typename T>
void gelu_backward(const void* x, const void* y_gradient, void* x_gradient, std::int64_t size) {
  const T* at = static_cast<const T*>(x);
  const T* from = static_cast<const T*>(y_gradient);
  T* to = static_cast<T*>(x_gradient);
  std::int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) store(to + i, Gelu::backward(load(at + i), load(from + i)));
  if (i < size) {
    const std::int64_t rest = size - i;
    store_some(to + i, Gelu::backward(load_some(at + i, rest), load_some(from + i, rest)), rest);
  }
}

}  // namespace etude::models::ETUDE_ISA
