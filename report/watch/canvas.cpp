#include "report/watch/canvas.h"

#include <algorithm>

#include <fmt/format.h>

#include "framework/log/text.h"

namespace etude::report::watch {
namespace {

/// Unchanged cells between two changed ones that are written anew rather than stepped over, which takes as many bytes.
constexpr int kGap = 6;

const char* code_of(Style style, bool colours) {
  switch (style) {
    case Style::kPlain:
      return "\x1b[0m";
    case Style::kBold:
      return "\x1b[0;1m";
    case Style::kDim:
      return "\x1b[0;2m";
    case Style::kGood:
      return colours ? "\x1b[0;32m" : "\x1b[0m";
    case Style::kWarning:
      return colours ? "\x1b[0;33m" : "\x1b[0;1m";
    case Style::kBad:
      return colours ? "\x1b[0;1;31m" : "\x1b[0;1m";
    case Style::kCurve:
      return colours ? "\x1b[0;36m" : "\x1b[0m";
    case Style::kPoint:
      return colours ? "\x1b[0;33m" : "\x1b[0;1m";
    case Style::kChosen:
      return "\x1b[0;7m";
  }
  return "";
}

/// Writes cells one after the other, changing the style only where it changes.
class Pen {
 public:
  Pen(std::string& text, bool styled, bool colours) : text_(text), styled_(styled), colours_(colours) {}

  void write(const Cell& cell) {
    if (cell.character == 0) return;
    if (styled_ && cell.style != style_) text_ += code_of(style_ = cell.style, colours_);
    log::append_utf8(text_, cell.character);
  }
  void rest() {
    if (style_ != Style::kPlain) text_ += code_of(style_ = Style::kPlain, colours_);
  }

 private:
  std::string& text_;
  bool styled_;
  bool colours_;
  Style style_ = Style::kPlain;
};

}  // namespace

Canvas::Canvas(int columns, int rows)
    : columns_(std::max(columns, 1)), rows_(std::max(rows, 1)), cells_(index(rows_, 0)) {}

std::size_t Canvas::index(int row, int column) const {
  return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns_) + static_cast<std::size_t>(column);
}

int Canvas::put(int row, int column, std::u32string_view text, Style style, int most) {
  if (row < 0 || row >= rows_ || column < 0) return column;
  const int end = most < columns_ - column ? column + most : columns_;
  for (const char32_t character : text) {
    const int wide = log::columns_of(character);
    if (column + wide > end) break;
    if (wide == 0) continue;
    cells_[index(row, column)] = {character, style};
    if (wide == 2) cells_[index(row, column + 1)] = {0, style};
    column += wide;
  }
  return column;
}

void Canvas::put(int row, int column, char32_t character, Style style) {
  put(row, column, std::u32string_view(&character, 1), style);
}

std::string difference(const Canvas& before, const Canvas& after, bool colours) {
  std::string text;
  Pen pen(text, true, colours);
  for (int row = 0; row < after.rows(); ++row) {
    int written = -1;  // column behind what was written last in this row
    for (int column = 0; column < after.columns(); ++column) {
      if (before.at(row, column) == after.at(row, column)) continue;
      int from = written >= 0 && column - written <= kGap ? written : column;
      // Half of a wide character cannot be written.
      while (from > 0 && after.at(row, from).character == 0) --from;
      if (from != written) text += fmt::format("\x1b[{};{}H", row + 1, from + 1);
      for (int at = from; at <= column; ++at) pen.write(after.at(row, at));
      written = column + 1;
    }
  }
  pen.rest();
  return text;
}

std::string as_text(const Canvas& canvas, bool styled, bool colours) {
  std::string text;
  std::size_t end = 0;
  for (int row = 0; row < canvas.rows(); ++row) {
    int last = canvas.columns() - 1;
    while (last >= 0 && canvas.at(row, last) == Cell{}) --last;
    Pen pen(text, styled, colours);
    for (int column = 0; column <= last; ++column) pen.write(canvas.at(row, column));
    pen.rest();
    text += '\n';
    if (last >= 0) end = text.size();
  }
  text.resize(end);
  return text;
}

}  // namespace etude::report::watch
