#pragma once

#include <cstdint>
#include <initializer_list>

namespace etude::data {

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014): every bit of the input changes half of the output's.
constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

/// What a number is drawn for, so that draws for different ends do not depend on one another.
enum class Purpose : std::uint64_t { kOrder = 1, kCut = 2, kTranspose = 3, kSampling = 4 };

/// A random number as a function of its key alone: no state, the same on every machine and standard library (the
/// distributions of <random> differ between libraries).
constexpr std::uint64_t random_bits(std::uint64_t seed, Purpose purpose, std::initializer_list<std::int64_t> key) {
  std::uint64_t bits = mix(mix(seed) ^ static_cast<std::uint64_t>(purpose));
  for (const std::int64_t part : key) bits = mix(bits ^ static_cast<std::uint64_t>(part));
  return bits;
}

/// Uniform in [low, high]. The remainder favours small numbers by less than (high - low) / 2^64.
constexpr std::int64_t uniform(std::uint64_t bits, std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(bits % static_cast<std::uint64_t>(high - low + 1));
}

}  // namespace etude::data
