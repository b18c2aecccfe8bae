#pragma once

#include "models/kernels/isa/simd.h"

namespace etude::models::ETUDE_ISA {

/// The part of a product that is summed up in registers: 12 of 16 vectors, or 24 of 32, are the sums.
#if ETUDE_LANES == 16
constexpr std::int64_t kTileRows = 12;
#else
constexpr std::int64_t kTileRows = 6;
#endif
constexpr std::int64_t kTileVectors = 2;
constexpr std::int64_t kTileColumns = kTileVectors * kLanes;

/// Where the left factor stands: element (row, k) is data[row * row_stride + k * k_stride].
template <typename Element>
struct Left {
  const Element* data;
  std::int64_t row_stride;
  std::int64_t k_stride;
};

/// to [kTileRows, kTileColumns] (+)= left [kTileRows, k] right [k, kTileColumns], the latter packed row by row.
///
/// A function of its own, called with every tile: inlined, its registers would be shared with what is around it.
template <class Products, bool kAccumulate>
__attribute__((noinline)) void multiply_tile(std::int64_t k, Left<typename Products::Element> left,
                                             const typename Products::Element* right, float* to,
                                             std::int64_t to_stride) {
  using Elements = typename Products::Elements;
  Floats sums[kTileRows][kTileVectors] = {};
  for (std::int64_t i = 0; i < k; ++i) {
    Elements columns[kTileVectors];
#pragma GCC unroll 2
    for (std::int64_t v = 0; v < kTileVectors; ++v) columns[v] = load(right + i * kTileColumns + v * kLanes);
    const typename Products::Element* rows = left.data + i * left.k_stride;
#pragma GCC unroll 16
    for (std::int64_t row = 0; row < kTileRows; ++row) {
#pragma GCC unroll 2
      for (std::int64_t v = 0; v < kTileVectors; ++v) {
        sums[row][v] = Products::multiply_add(rows[row * left.row_stride], columns[v], sums[row][v]);
      }
    }
  }
#pragma GCC unroll 16
  for (std::int64_t row = 0; row < kTileRows; ++row) {
#pragma GCC unroll 2
    for (std::int64_t v = 0; v < kTileVectors; ++v) {
      float* place = to + row * to_stride + v * kLanes;
      store(place, kAccumulate ? load(place) + sums[row][v] : sums[row][v]);
    }
  }
}

}  // namespace etude::models::ETUDE_ISA
