#include "report/watch/plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "framework/log/text.h"

namespace etude::report::watch {
namespace {

constexpr int kFewestColumns = 12;
constexpr int kFewestRows = 4;

struct Bounds {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return !(low <= high); }
  /// Where a value lies, from 0 to 1.
  double share(double value) const {
    const double all = high - low;
    return all > 0 && std::isfinite(all) ? (value - low) / all : 0.5;
  }
};

/// Dots finer than cells.
class Dots {
 public:
  Dots(int columns, int rows, bool unicode)
      : across_(unicode ? 2 : 1),
        down_(unicode ? 4 : 2),
        columns_(columns),
        rows_(rows),
        unicode_(unicode),
        bits_(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows)) {}

  int wide() const { return columns_ * across_; }
  int high() const { return rows_ * down_; }

  void set(int x, int y) {
    if (x < 0 || x >= wide() || y < 0 || y >= high()) return;
    // Braille numbers its dots 1 2 3 7 down the left and 4 5 6 8 down the right.
    constexpr std::array<std::array<unsigned, 2>, 4> kBraille{{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}};
    unsigned& bits = bits_[index(y / down_, x / across_)];
    bits |= unicode_ ? kBraille[static_cast<std::size_t>(y % down_)][static_cast<std::size_t>(x % across_)]
                     : 1U << (y % down_);
  }

  void line(double x0, double y0, double x1, double y1) {
    const int steps = static_cast<int>(std::ceil(std::max(std::abs(x1 - x0), std::abs(y1 - y0)))) + 1;
    for (int i = 0; i <= steps; ++i) {
      const double share = static_cast<double>(i) / steps;
      set(static_cast<int>(std::lround(x0 + share * (x1 - x0))), static_cast<int>(std::lround(y0 + share * (y1 - y0))));
    }
  }

  void draw(Canvas& canvas, int row, int column) const {
    constexpr std::array kHalves{U' ', U'\'', U'.', U':'};
    for (int y = 0; y < rows_; ++y) {
      for (int x = 0; x < columns_; ++x) {
        const unsigned bits = bits_[index(y, x)];
        if (bits == 0) continue;
        canvas.put(row + y, column + x, unicode_ ? static_cast<char32_t>(0x2800 + bits) : kHalves[bits], Style::kCurve);
      }
    }
  }

  int column_of(double x) const { return static_cast<int>(std::lround(x)) / across_; }
  int row_of(double y) const { return static_cast<int>(std::lround(y)) / down_; }

 private:
  std::size_t index(int row, int column) const {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns_) + static_cast<std::size_t>(column);
  }
  int across_, down_, columns_, rows_;
  bool unicode_;
  std::vector<unsigned> bits_;
};

std::string y_label(double value) { return fmt::format("{:.4g}", value); }

/// The places of the points in dots, from the upper left.
class Scale {
 public:
  Scale(Bounds x, Bounds y, bool logarithmic, const Dots& dots)
      : x_(x), y_(y), logarithmic_(logarithmic), wide_(dots.wide() - 1), high_(dots.high() - 1) {}
  double across(double x) const { return x_.share(x) * wide_; }
  double down(double y) const { return (1 - y_.share(logarithmic_ ? std::log(y) : y)) * high_; }

 private:
  Bounds x_, y_;
  bool logarithmic_;
  double wide_, high_;
};

void draw_frame(Canvas& canvas, const Box& box, int labels, const std::array<std::string, 3>& y, bool unicode) {
  const int bottom = box.row + box.rows - 2;  // the last row of the curves; below are the line and its labels
  const char32_t wall = unicode ? U'│' : U'|', floor = unicode ? U'─' : U'-', corner = unicode ? U'└' : U'+';
  for (int row = box.row; row < bottom; ++row) canvas.put(row, box.column + labels, wall, Style::kDim);
  canvas.put(bottom, box.column + labels, corner, Style::kDim);
  for (int column = labels + 1; column < box.columns; ++column) {
    canvas.put(bottom, box.column + column, floor, Style::kDim);
  }
  const int last = bottom - 1, middle = box.row + (last - box.row) / 2;
  const auto label = [&](int row, const std::string& text) {
    canvas.put(row, box.column + labels - static_cast<int>(text.size()), log::printable(text, false), Style::kDim);
  };
  label(box.row, y[0]);
  if (last - box.row >= 4) label(middle, y[1]);
  label(last, y[2]);
}

}  // namespace

void plot(Canvas& canvas, const Box& box, const std::vector<Curve>& curves, const PlotLook& look) {
  if (box.columns < kFewestColumns || box.rows < kFewestRows) return;
  Bounds x, y;
  for (const Curve& curve : curves) {
    for (std::size_t i = 0; i < curve.x.size(); ++i) {
      if (!std::isfinite(curve.x[i]) || !std::isfinite(curve.y[i])) continue;
      x.add(curve.x[i]);
      y.add(curve.y[i]);
    }
  }
  if (x.empty()) return;
  const bool logarithmic = look.logarithmic && y.low > 0;
  const double middle = logarithmic ? std::sqrt(y.low * y.high) : (y.low + y.high) / 2;
  const std::array labels{y_label(y.high), y_label(middle), y_label(y.low)};
  const int margin = static_cast<int>(std::ranges::max(labels, {}, &std::string::size).size());
  draw_frame(canvas, box, margin, labels, look.unicode);

  Dots dots(box.columns - margin - 1, box.rows - 2, look.unicode);
  const Bounds y_drawn = logarithmic ? Bounds{std::log(y.low), std::log(y.high)} : y;
  const Scale scale(x, y_drawn, logarithmic, dots);
  for (const Curve& curve : curves) {
    if (curve.points) continue;
    std::size_t before = curve.x.size();  // the last point that was a number
    for (std::size_t i = 0; i < curve.x.size(); ++i) {
      if (!std::isfinite(curve.x[i]) || !std::isfinite(curve.y[i])) continue;
      const std::size_t from = before < i ? before : i;
      dots.line(scale.across(curve.x[from]), scale.down(curve.y[from]), scale.across(curve.x[i]),
                scale.down(curve.y[i]));
      before = i;
    }
  }
  const int left = box.column + margin + 1;
  dots.draw(canvas, box.row, left);
  for (const Curve& curve : curves) {
    if (!curve.points) continue;
    for (std::size_t i = 0; i < curve.x.size(); ++i) {
      if (!std::isfinite(curve.x[i]) || !std::isfinite(curve.y[i])) continue;
      canvas.put(box.row + dots.row_of(scale.down(curve.y[i])), left + dots.column_of(scale.across(curve.x[i])), U'o',
                 Style::kPoint);
    }
  }

  const std::string begin = look.x_label(x.low), end = look.x_label(x.high);
  const int row = box.row + box.rows - 1, last = box.column + box.columns - static_cast<int>(end.size());
  canvas.put(row, left, log::printable(begin, false), Style::kDim);
  if (last > left + static_cast<int>(begin.size())) canvas.put(row, last, log::printable(end, false), Style::kDim);
}

Curve condensed(const std::vector<double>& x, const std::vector<double>& y, int most) {
  Curve curve;
  Bounds bounds;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isfinite(x[i]) && std::isfinite(y[i])) bounds.add(x[i]);
  }
  double sum_x = 0, sum_y = 0;
  int count = 0, stretch = -1;
  const auto close = [&] {
    if (count == 0) return;
    curve.x.push_back(sum_x / count);
    curve.y.push_back(sum_y / count);
    sum_x = sum_y = count = 0;
  };
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(x[i]) || !std::isfinite(y[i])) continue;
    const int here = std::min(static_cast<int>(bounds.share(x[i]) * most), most - 1);
    if (here != stretch) close();
    stretch = here;
    sum_x += x[i];
    sum_y += y[i];
    ++count;
  }
  close();
  return curve;
}

std::u32string sparkline(const std::vector<double>& x, const std::vector<double>& y, int columns, bool unicode) {
  const Curve curve = condensed(x, y, columns);
  const std::u32string_view levels = unicode ? U"▁▂▃▄▅▆▇█" : U"_.-'^";
  Bounds bounds;
  for (const double value : curve.y) bounds.add(value);
  std::u32string line;
  for (const double value : curve.y) {
    const auto level = static_cast<std::size_t>(bounds.share(value) * static_cast<double>(levels.size()));
    line += levels[std::min(level, levels.size() - 1)];
  }
  return line;
}

}  // namespace etude::report::watch
