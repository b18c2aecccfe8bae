#include "models/kernels/philox.h"

#include <bit>
#include <cmath>
#include <cstring>

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace etude::models {

static_assert(std::endian::native == std::endian::little, "masks are defined by the little-endian order of words");

MaskStream::MaskStream(const DropoutKey& key, std::uint32_t site, double rate)
    : site_(site),
      threshold_(static_cast<std::uint32_t>(std::lround(rate * 65536.0))),
      scale_(static_cast<float>(1.0 / (1.0 - rate))) {
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  // 192 bits of key do not fit into Philox's 64: one call of it hashes them into a key and one word of the counter.
  std::uint32_t x[4] = {low(key.step), high(key.step), low(key.grain), high(key.grain)};
  philox(x, low(key.seed), high(key.seed));
  key0_ = x[0];
  key1_ = x[1];
  nonce_ = x[2];
}

namespace {

constexpr int kCounters = MaskStream::kGroup / 8;  // one counter gives eight numbers

/// The four words of kCounters counters from `first` on, word by word.
void draw_plain(std::uint64_t first, std::uint32_t site, std::uint32_t nonce, std::uint32_t key0, std::uint32_t key1,
                std::uint32_t (&words)[4][kCounters]) {
  for (std::uint32_t i = 0; i < kCounters; ++i) {
    std::uint32_t x[4] = {static_cast<std::uint32_t>(first) + i, static_cast<std::uint32_t>(first >> 32), site, nonce};
    philox(x, key0, key1);
    for (int word = 0; word < 4; ++word) words[word][i] = x[word];
  }
}

#ifdef __x86_64__
__attribute__((target("avx2"))) inline __m256i all(std::uint32_t x) { return _mm256_set1_epi64x(x); }

/// The same by hand, three times as fast as what compilers make of it: even and odd counters go through the rounds
/// apart, each in the low half of 64 bits, where the multiplication wants its factors, so that nothing is shuffled.
__attribute__((target("avx2"))) void draw_avx2(std::uint64_t first, std::uint32_t site, std::uint32_t nonce,
                                               std::uint32_t key0, std::uint32_t key1,
                                               std::uint32_t (&words)[4][kCounters]) {
  const __m256i multiplier0 = all(0xD2511F53), multiplier1 = all(0xCD9E8D57);
  for (std::uint32_t begin = 0; begin < kCounters; begin += 8) {
    __m256i x[2][4];  // [even, odd][word]
    for (std::uint32_t odd = 0; odd < 2; ++odd) {
      x[odd][0] =
          _mm256_add_epi64(all(static_cast<std::uint32_t>(first) + begin + odd), _mm256_setr_epi64x(0, 2, 4, 6));
      x[odd][1] = all(static_cast<std::uint32_t>(first >> 32));
      x[odd][2] = all(site);
      x[odd][3] = all(nonce);
    }
    std::uint32_t round_key0 = key0, round_key1 = key1;
    for (int round = 0; round < 10; ++round) {
      const __m256i keys0 = all(round_key0), keys1 = all(round_key1);
      for (auto& half : x) {
        const __m256i product0 = _mm256_mul_epu32(half[0], multiplier0),
                      product1 = _mm256_mul_epu32(half[2], multiplier1);
        half[0] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(product1, 32), half[1]), keys0);
        half[2] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(product0, 32), half[3]), keys1);
        half[1] = product1;  // its high half is left in: nothing looks at it
        half[3] = product0;
      }
      round_key0 += 0x9E3779B9;
      round_key1 += 0xBB67AE85;
    }
    for (int word = 0; word < 4; ++word) {
      const __m256i both = _mm256_blend_epi32(x[0][word], _mm256_slli_epi64(x[1][word], 32), 0b10101010);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(&words[word][begin]), both);
    }
  }
}
#endif

}  // namespace

void MaskStream::draw(std::uint64_t group, std::uint16_t* numbers) const {
  std::uint32_t words[4][kCounters];
#ifdef __x86_64__
  static const bool has_avx2 = __builtin_cpu_supports("avx2");
  if (has_avx2) {
    draw_avx2(group * kCounters, site_, nonce_, key0_, key1_, words);
  } else {
    draw_plain(group * kCounters, site_, nonce_, key0_, key1_, words);
  }
#else
  draw_plain(group * kCounters, site_, nonce_, key0_, key1_, words);
#endif
  std::memcpy(numbers, words, sizeof(words));
}

}  // namespace etude::models
