#pragma once

#include <cstddef>
#include <cstdint>

namespace etude::sweep {

inline constexpr std::size_t kSobolDimensions = 64;

/// Coordinate `dimension` of point `index` of Sobol's sequence (1967), as a share of 2^32; points in the order of Gray
/// codes (Antonov and Saleev 1979), so that any first 2^k are the same. Throws std::out_of_range beyond
/// kSobolDimensions.
std::uint32_t sobol(std::uint64_t index, std::size_t dimension);

/// The coordinate under Owen's nested uniform scrambling (1995): every one as likely as any other, while what is evenly
/// spread stays so. Another permutation for each seed, made by hashing (Burley 2020, with the constants of Vegdahl
/// 2021).
std::uint32_t scrambled(std::uint32_t coordinate, std::uint32_t seed);

}  // namespace etude::sweep
