#pragma once

#include <functional>
#include <string>
#include <vector>

#include "report/watch/canvas.h"

namespace etude::report::watch {

/// A part of a canvas.
struct Box {
  int row = 0;
  int column = 0;
  int rows = 0;
  int columns = 0;
};

struct Curve {
  std::vector<double> x;  ///< ascending
  std::vector<double> y;
  bool points = false;  ///< single marks rather than a line
};

struct PlotLook {
  bool unicode = true;       ///< lines of braille dots, 2 × 4 a cell; else of ' and ., 1 × 2
  bool logarithmic = false;  ///< the y axis, where all values are above 0
  std::function<std::string(double)> x_label;
};

/// Draws curves into one frame with labels on both axes. What is no number is left out. Says nothing and draws nothing
/// where there is no point or no room (12 × 4).
void plot(Canvas& canvas, const Box& box, const std::vector<Curve>& curves, const PlotLook& look);

/// The means of `y` over even stretches of x, at most `most` of them: what a curve of many points looks like.
Curve condensed(const std::vector<double>& x, const std::vector<double>& y, int most);

/// A curve in one line of `columns` characters: ▁▃▆█, or _.-'^.
std::u32string sparkline(const std::vector<double>& x, const std::vector<double>& y, int columns, bool unicode);

}  // namespace etude::report::watch
