#pragma once

#include <string>
#include <utility>
#include <vector>

namespace etude::report {

/// A picture being drawn. Lengths are pixels at 96 to the inch, y goes down; colours are as in CSS.
class Svg {
 public:
  Svg(double width, double height, const std::string& title);

  using Points = std::vector<std::pair<double, double>>;
  enum class Anchor { kStart, kMiddle, kEnd };

  void line(double x1, double y1, double x2, double y2, const std::string& colour, double width = 1);
  /// `dash` as stroke-dasharray has it; empty for a line without gaps.
  void path(const Points& points, const std::string& colour, const std::string& dash, double width = 1.6);
  void rectangle(double x, double y, double width, double height, const std::string& fill, double opacity = 1);
  void text(double x, double y, const std::string& text, Anchor anchor = Anchor::kStart, double size = 12,
            double turn = 0);
  /// One of a few shapes that are told apart without colour: circle, square, triangle, diamond, cross, ring, …
  void marker(double x, double y, std::size_t shape, const std::string& colour);

  /// The whole file.
  std::string finish() const;

 private:
  std::string content_;
};

/// How a series is drawn: told apart by colour (Okabe and Ito 2008, for all kinds of colour vision), by dashes, and by
/// marker.
struct Stroke {
  std::string colour;
  std::string dash;
  std::size_t shape;
};
inline constexpr std::size_t kStrokes = 8;
const Stroke& stroke(std::size_t series);

}  // namespace etude::report
