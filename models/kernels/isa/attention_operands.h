#pragma once

#include "models/kernels/isa/tile.h"

namespace etude::models::ETUDE_ISA {

/// A value of what Products multiplies, of which an Element holds kDepth.
template <class Products>
struct PartOf {
  using type = float;
};
template <>
struct PartOf<PairProducts> {
  using type = Bfloat16;
};

/// Rows of one head as they lie in memory, in up to two pieces. Those before `begin` and from `end` on count as zeros,
/// whatever is there.
template <typename T>
struct Rows {
  const T* data = nullptr;  ///< of row `split`
  std::int64_t stride = 0;
  std::int64_t begin = 0, end = 0, width = 0;
  std::int64_t split = 0;  ///< the rows before it are those at `before`
  const T* before = nullptr;
  std::int64_t before_stride = 0;

  const T* row(std::int64_t i) const { return i < split ? before + i * before_stride : data + (i - split) * stride; }
  /// How many of the values from `column` on row i has.
  std::int64_t inside(std::int64_t i, std::int64_t column, std::int64_t most) const {
    return i < begin || i >= end ? 0 : larger(0, smaller(most, width - column));
  }
};

/// The operands of attention's products, copied into buffers whose sizes are multiples of the tiles' and padded with
/// zeros, so that products have no ragged edges.
template <class Products>
struct Operands {
  using Element = typename Products::Element;
  using Part = typename PartOf<Products>::type;
  static constexpr std::int64_t kDepth = Products::kDepth;

  static Part* parts_of(Element* elements) { return reinterpret_cast<Part*>(elements); }
  static const Part* parts_of(const Element* elements) { return reinterpret_cast<const Part*>(elements); }
  static float part(float x) requires(kDepth == 1) { return x; }
  static auto part(Bfloat16 x) {
    if constexpr (kDepth == 1) {
      return value(x);
    } else {
      return x;
    }
  }

  /// Rows [0, count) as left factors, [count, row_elements], plus `bias` [width] where it is not null.
  template <typename T>
  static void pack_rows(const Rows<T>& rows, std::int64_t count, std::int64_t row_elements, const float* bias,
                        Element* to) {
    for (std::int64_t i = 0; i < count; ++i) {
      const T* from = rows.row(i);
      Part* place = parts_of(to + i * row_elements);
      std::int64_t column = 0;
      for (; rows.inside(i, column, kLanes) == kLanes; column += kLanes) {
        const Floats x = load(from + column);
        store(place + column, bias == nullptr ? x : x + load(bias + column));
      }
      if (const std::int64_t rest = rows.inside(i, column, kLanes); rest > 0) {
        const Floats x = load_some(from + column, rest);
        store_some(place + column, bias == nullptr ? x : x + load_some(bias + column, rest), rest);
        column += rest;
      }
      for (; column < kDepth * row_elements; ++column) place[column] = Part{};
    }
  }

  /// Rows [first, end), of which `first` begins a tile, as the columns of a right factor:
  /// [rows / kTileColumns][row_elements][kTileColumns].
  template <typename T>
  static void pack_across(const Rows<T>& rows, std::int64_t first, std::int64_t end, std::int64_t row_elements,
                          Element* to) {
    const std::int64_t width = kDepth * row_elements;
    for (; first < end; first += kTileColumns) {
      Part* panel = parts_of(to + first * row_elements);
      for (std::int64_t column = 0; column < kTileColumns; ++column) {
        const T* from = rows.row(first + column);
        const auto place = [&](std::int64_t i) -> Part& {
          return panel[(i / kDepth * kTileColumns + column) * kDepth + i % kDepth];
        };
        const std::int64_t inside = rows.inside(first + column, 0, width);
        for (std::int64_t i = 0; i < inside; ++i) place(i) = part(from[i]);
        for (std::int64_t i = inside; i < width; ++i) place(i) = Part{};
      }
    }
  }

  /// Rows [first, count) as the rows of a right factor, [columns / kTileColumns][count / kDepth][kTileColumns].
  template <typename T>
  static void pack_along(const Rows<T>& rows, std::int64_t first, std::int64_t count, std::int64_t columns,
                         Element* to) {
    for (std::int64_t row = first; row < count; ++row) {
      const T* from = rows.row(row);
      for (std::int64_t column = 0; column < columns; column += kTileColumns) {
        Element* elements = to + column / kDepth * count + row / kDepth * kTileColumns;
        if constexpr (kDepth == 1) {
          for (std::int64_t i = 0; i < kTileColumns; i += kLanes) {
            const std::int64_t inside = rows.inside(row, column + i, kLanes);
            store(elements + i, inside == kLanes ? load(from + column + i) : load_some(from + column + i, inside));
          }
        } else {
          const std::int64_t inside = rows.inside(row, column, kTileColumns);
          Part* parts = parts_of(elements) + row % kDepth;
          for (std::int64_t i = 0; i < kTileColumns; ++i) {
            parts[i * kDepth] = i < inside ? part(from[column + i]) : Part{};
          }
        }
      }
    }
  }
};

}  // namespace etude::models::ETUDE_ISA
