#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "data/loader/random.h"

namespace etude::blind {

/// Numbers that follow from the seed alone, the same on every machine: SplitMix64 (Steele, Lea and Flood 2014).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(data::mix(seed)) {}

  std::uint64_t bits() { return data::mix(state_ += 0x9E3779B97F4A7C15); }
  /// In [0, n).
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(bits() % n); }

  template <typename T>
  void shuffle(std::span<T> items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  std::uint64_t state_;
};

}  // namespace etude::blind
