#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace etude::report::watch {

enum class Style : std::uint8_t { kPlain, kBold, kDim, kGood, kWarning, kBad, kCurve, kPoint, kChosen };

struct Cell {
  char32_t character = U' ';  ///< 0 behind one that takes two columns
  Style style = Style::kPlain;
  bool operator==(const Cell&) const = default;
};

/// One frame: what each cell of a terminal is to show.
class Canvas {
 public:
  Canvas(int columns, int rows);

  int columns() const { return columns_; }
  int rows() const { return rows_; }
  const Cell& at(int row, int column) const { return cells_[index(row, column)]; }

  /// Writes printable text, cut off at the canvas' edge or after `most` columns. Accents that stand above another
  /// character are left out. Returns the column behind it. Rows and columns that are not there take nothing.
  int put(int row, int column, std::u32string_view text, Style style = Style::kPlain, int most = 1 << 20);
  void put(int row, int column, char32_t character, Style style);

 private:
  std::size_t index(int row, int column) const;

  int columns_;
  int rows_;
  std::vector<Cell> cells_;
};

/// The bytes that turn a terminal which shows `before` into one that shows `after`: only where they differ, and without
/// leaving a colour on. Both have the same size. Nothing where they are equal. With `colours` off, styles are told by
/// bold, dim and reverse alone.
std::string difference(const Canvas& before, const Canvas& after, bool colours);

/// The canvas as lines of text, without blanks at their ends and without empty lines below; with escape codes only for
/// styles, and without any where `styled` is false.
std::string as_text(const Canvas& canvas, bool styled, bool colours);

}  // namespace etude::report::watch
