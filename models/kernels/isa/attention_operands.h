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
  /// How many values row i has.
  std::int64_t inside(std::int64_t i) const { return i < begin || i >= end ? 0 : width; }
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

  /// As many elements as a vector has, whatever they hold.
  template <typename T>
  static Floats elements(const T* from) {
    if constexpr (kDepth == 1) {
      return load(from);
    } else {
      return reinterpret_cast<Floats>(load(reinterpret_cast<const std::uint32_t*>(from)));
    }
  }

  /// Rows [0, count) as left factors, [count, row_elements], plus `bias` [width] where it is not null.
  template <typename T>
  static void pack_rows(const Rows<T>& rows, std::int64_t count, std::int64_t row_elements, const float* bias,
                        Element* to) {
    for (std::int64_t i = 0; i < count; ++i) {
      const T* from = rows.row(i);
      Part* place = parts_of(to + i * row_elements);
      const std::int64_t inside = rows.inside(i);
      std::int64_t column = 0;
      for (; column + kLanes <= inside; column += kLanes) {
        const Floats x = load(from + column);
        store(place + column, bias == nullptr ? x : x + load(bias + column));
      }
      if (const std::int64_t rest = inside - column; rest > 0) {
        const Floats x = load_some(from + column, rest);
        store_some(place + column, bias == nullptr ? x : x + load_some(bias + column, rest), rest);
        column = inside;
      }
      for (; column < kDepth * row_elements; ++column) place[column] = Part{};
    }
  }

  /// Rows [first, end), of which `first` begins a tile, as the columns of a right factor:
  /// [rows / kTileColumns][row_elements][kTileColumns].
  template <typename T>
  static void pack_across(const Rows<T>& rows, std::int64_t first, std::int64_t end, std::int64_t row_elements,
                          Element* to) {
    for (; first < end; first += kTileColumns) {
      Element* panel = to + first * row_elements;
      for (std::int64_t column = 0; column < kTileColumns; column += kLanes) {
        std::int64_t i = 0;
        for (; i + kLanes <= rows.width / kDepth; i += kLanes) {
          Floats square[kLanes];
          for (std::int64_t r = 0; r < kLanes; ++r) {
            const std::int64_t row = first + column + r;
            square[r] = rows.inside(row) == 0 ? Floats{} : elements(rows.row(row) + i * kDepth);
          }
          transpose(square);
          for (std::int64_t r = 0; r < kLanes; ++r) {
            store(reinterpret_cast<float*>(panel + (i + r) * kTileColumns + column), square[r]);
          }
        }
        for (std::int64_t r = column; r < column + kLanes; ++r)
          pack_rest_across(rows, first + r, i, row_elements, panel + r);
      }
    }
  }

  /// Rows [first, count) as the rows of a right factor, [columns / kTileColumns][count / kDepth][kTileColumns].
  template <typename T>
  static void pack_along(const Rows<T>& rows, std::int64_t first, std::int64_t count, std::int64_t columns,
                         Element* to) {
    for (std::int64_t row = first; row < count; ++row) {
      const T* from = rows.row(row);
      const std::int64_t inside = rows.inside(row);
      for (std::int64_t column = 0; column < columns; column += kTileColumns) {
        Element* elements = to + column / kDepth * count + row / kDepth * kTileColumns;
        if constexpr (kDepth == 1) {
          for (std::int64_t i = 0; i < kTileColumns; i += kLanes) {
            const std::int64_t left = inside - column - i;
            store(elements + i,
                  left >= kLanes ? load(from + column + i) : load_some(from + column + i, larger(0, left)));
          }
        } else {
          Part* parts = parts_of(elements) + row % kDepth;
          for (std::int64_t i = 0; i < kTileColumns; ++i) {
            parts[i * kDepth] = column + i < inside ? part(from[column + i]) : Part{};
          }
        }
      }
    }
  }

 private:
  /// The elements from the given one on of one row, one below the other.
  template <typename T>
  static void pack_rest_across(const Rows<T>& rows, std::int64_t row, std::int64_t element, std::int64_t row_elements,
                               Element* to) {
    const T* from = rows.row(row);
    const std::int64_t inside = rows.inside(row);
    for (std::int64_t i = element; i < row_elements; ++i) {
      Part* parts = parts_of(to + i * kTileColumns);
      for (std::int64_t d = 0; d < kDepth; ++d) {
        parts[d] = i * kDepth + d < inside ? part(from[i * kDepth + d]) : Part{};
      }
    }
  }
};

}  // namespace etude::models::ETUDE_ISA
