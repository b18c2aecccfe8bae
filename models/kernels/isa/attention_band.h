#pragma once

#include "models/kernels/isa/tile.h"

namespace etude::models::ETUDE_ISA {

/// Which columns each row of a block of scores needs, so that tiles which nobody needs are left out. Row r needs those
/// of [begin, end) that are
///   at most `newest` + r,             keys up to its own;
///   more than `newest` + r - window,  keys within its window;
///   at least `oldest` - r,            distances for which there is a key.
struct Band {
  static constexpr std::int64_t kNever = std::int64_t{1} << 40;  // large enough for a bound that binds nowhere

  std::int64_t first_row = 0, rows = 0;  // of all rows; a multiple of kTileRows each
  std::int64_t begin = 0, end = 0;       // `begin` is a multiple of kTileColumns
  std::int64_t newest = kNever, window = 2 * kNever, oldest = -kNever;

  /// The first row that needs any of `count` columns from `column` on, as tiles go.
  std::int64_t row_begin(std::int64_t column, std::int64_t count) const {
    return larger(0, larger(column - newest, oldest - (column + count - 1))) / kTileRows * kTileRows;
  }
  /// One after the last of them.
  std::int64_t row_end(std::int64_t column, std::int64_t count) const {
    return smaller(rows, larger(0, round_up(column + count - 1 + window - newest, kTileRows)));
  }
  /// The first column that any of the kTileRows rows from `row` on needs, as tiles go.
  std::int64_t column_begin(std::int64_t row) const {
    return larger(begin,
                  larger(newest + row + 1 - window, oldest - (row + kTileRows - 1)) / kTileColumns * kTileColumns);
  }
  /// One after the last of them.
  std::int64_t column_end(std::int64_t row) const { return smaller(end, newest + row + kTileRows); }
  /// One after the last column that products look at.
  std::int64_t padded_end() const { return begin + round_up(round_up(end - begin, kTileRows), kLanes); }
};

/// The products of attention, of operands that are packed (Operands). Scores lie in rows of `stride` columns.
template <class Products>
struct BandProducts {
  using Element = typename Products::Element;
  static constexpr std::int64_t kDepth = Products::kDepth;
  /// Columns whose products are summed before the next rows' are, so that their half of the product stays in the cache.
  static constexpr std::int64_t kColumnsAtOnce = 128;

  /// to [band.rows, columns] = left [rows, row_elements] times what is packed across, for the band's rows.
  static void score(const Band& band, std::int64_t row_elements, const Element* left, const Element* across, float* to,
                    std::int64_t stride) {
    for (std::int64_t column = band.begin; column < band.end; column += kTileColumns) {
      const std::int64_t end = band.row_end(column, kTileColumns);
      for (std::int64_t row = band.row_begin(column, kTileColumns); row < end; row += kTileRows) {
        multiply_tile<Products, false>(row_elements, {left + (band.first_row + row) * row_elements, row_elements, 1},
                                       across + column * row_elements, to + row * stride + column, stride);
      }
    }
  }

  /// to [rows, width], the band's rows = left [band.rows, columns] times the `count` rows packed along.
  static void sum_over_columns(const Band& band, const Element* left, std::int64_t stride, const Element* along,
                               std::int64_t count, float* to, std::int64_t width) {
    const std::int64_t row_stride = stride / kDepth;
    for (std::int64_t chunk = band.begin; chunk < band.end; chunk += kColumnsAtOnce) {
      for (std::int64_t row = 0; row < band.rows; row += kTileRows) {
        const std::int64_t first = band.column_begin(row), begin = larger(chunk, first);
        const std::int64_t columns = smaller(chunk + kColumnsAtOnce, band.column_end(row)) - begin;
        if (columns <= 0) continue;
        for (std::int64_t column = 0; column < width; column += kTileColumns) {
          const Left<Element> factor{left + row * row_stride + begin / kDepth, row_stride, 1};
          const Element* right = along + column / kDepth * count + begin / kDepth * kTileColumns;
          float* place = to + (band.first_row + row) * width + column;
          if (begin == first) {
            multiply_tile<Products, false>((columns + kDepth - 1) / kDepth, factor, right, place, width);
          } else {
            multiply_tile<Products, true>((columns + kDepth - 1) / kDepth, factor, right, place, width);
          }
        }
      }
    }
  }

  /// to [columns, width] += transpose(left [band.rows, columns]) times the band's of the `count` rows packed along.
  static void sum_over_rows(const Band& band, const Element* left, std::int64_t stride, const Element* along,
                            std::int64_t count, float* to, std::int64_t width) {
    for (std::int64_t place = band.begin; place < band.end; place += kTileRows) {
      const std::int64_t row = band.row_begin(place, kTileRows) / kDepth;
      const std::int64_t rows = band.row_end(place, kTileRows) / kDepth - row;
      if (rows <= 0) continue;
      for (std::int64_t column = 0; column < width; column += kTileColumns) {
        multiply_tile<Products, true>(rows, {left + row * stride + place, 1, stride},
                                      along + column / kDepth * count + (band.first_row / kDepth + row) * kTileColumns,
                                      to + place * width + column, width);
      }
    }
  }
};

}  // namespace etude::models::ETUDE_ISA
