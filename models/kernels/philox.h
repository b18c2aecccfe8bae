#pragma once

#include <cstdint>

#include "models/kernels/dropout_key.h"

namespace etude::models {

/// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", section 4.3): 128 random bits as a
/// function of a 128-bit counter and a 64-bit key.
[[gnu::always_inline]] inline void philox(std::uint32_t (&x)[4], std::uint32_t key0, std::uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53} * x[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57} * x[2];
    const std::uint32_t y0 = static_cast<std::uint32_t>(product1 >> 32) ^ x[1] ^ key0;
    const std::uint32_t y2 = static_cast<std::uint32_t>(product0 >> 32) ^ x[3] ^ key1;
    x[1] = static_cast<std::uint32_t>(product1);
    x[3] = static_cast<std::uint32_t>(product0);
    x[0] = y0;
    x[2] = y2;
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
}

/// An endless row of 16-bit random numbers for one place in the model at one step of one grain. It is drawn in groups
/// of kGroup, whatever the width of the processor's vectors, so that every machine drops the same elements.
class MaskStream {
 public:
  static constexpr std::int64_t kGroup = 128;

  MaskStream() = default;
  MaskStream(const DropoutKey& key, std::uint32_t site, double rate);

  /// How many groups a row of probabilities takes, each row beginning with a new one.
  static std::uint64_t groups_of(std::int64_t columns) {
    return static_cast<std::uint64_t>((columns + kGroup - 1) / kGroup);
  }
  /// Numbers group * kGroup and the kGroup - 1 after it. An element is dropped where its number is below threshold().
  void draw(std::uint64_t group, std::uint16_t* numbers) const;

  // Inlined everywhere, so that files compiled for one instruction set share no copy with the others.
  [[gnu::always_inline]] std::uint32_t threshold() const { return threshold_; }
  /// What the kept elements are multiplied by.
  [[gnu::always_inline]] float scale() const { return scale_; }

 private:
  std::uint32_t key0_ = 0, key1_ = 0, nonce_ = 0, site_ = 0;
  std::uint32_t threshold_ = 0;
  float scale_ = 1.0F;
};

}  // namespace etude::models
