#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

namespace etude::testing {

/// The gradient of one parameter from one grain: values of either sign over nine powers of ten, so that nearly every
/// addition rounds and another order of additions shows in the bits.
inline std::vector<float> made_gradient(std::int64_t grain, std::size_t parameter, std::int64_t values) {
  std::uint64_t state = static_cast<std::uint64_t>(grain) * 1000003 + parameter * 7919 + 12345;
  const auto next = [&state] {  // splitmix64
    state += 0x9e3779b97f4a7c15ULL;
    std::uint64_t bits = state;
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9ULL;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebULL;
    return bits ^ (bits >> 31);
  };
  std::vector<float> made(static_cast<std::size_t>(values));
  for (float& value : made) {
    const std::uint64_t bits = next();
    const std::uint32_t exponent = 112 + static_cast<std::uint32_t>(bits >> 32) % 30;
    value = std::bit_cast<float>(static_cast<std::uint32_t>(bits & 0x807fffff) | exponent << 23);
  }
  return made;
}

inline at::Tensor tensor_of(const std::vector<float>& values, at::ScalarType type = at::kFloat) {
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(values.size())}, at::kFloat);
  std::copy(values.begin(), values.end(), tensor.data_ptr<float>());
  return tensor.to(type);
}

/// FNV-1a over the bits of all sums.
inline std::uint64_t hash_of(const std::vector<at::Tensor>& sums) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const at::Tensor& sum : sums) {
    for (std::int64_t i = 0; i < sum.numel(); ++i) {
      hash = (hash ^ std::bit_cast<std::uint32_t>(sum.data_ptr<float>()[i])) * 1099511628211ULL;
    }
  }
  return hash;
}

}  // namespace etude::testing
