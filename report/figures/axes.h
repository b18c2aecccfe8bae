#pragma once

#include <string>
#include <vector>

#include "report/figures/svg.h"

namespace etude::report {

/// From values to pixels along one direction.
class Scale {
 public:
  /// `logarithmic` needs 0 < low.
  Scale(double low, double high, double from, double to, bool logarithmic = false);
  double operator()(double value) const;
  /// Round values within, four to eight of them.
  std::vector<double> ticks() const;

 private:
  double low_, high_, from_, to_;
  bool logarithmic_;
};

/// "1.5 M", "0.25".
std::string tick_text(double value);

struct Frame {
  double left, top, right, bottom;
};

/// Axes with ticks, words beside them, and light lines across.
void draw_axes(Svg& svg, const Frame& frame, const Scale& x, const Scale& y, const std::string& x_words,
               const std::string& y_words);

}  // namespace etude::report
