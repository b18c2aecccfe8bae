#include "report/figures/svg.h"

#include <array>

#include <fmt/format.h>

namespace etude::report {
namespace {

/// XML 1.0 has no place for most control characters, not even escaped.
std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '&') {
      safe += "&amp;";
    } else if (c == '<') {
      safe += "&lt;";
    } else if (c == '>') {
      safe += "&gt;";
    } else if (c == '"') {
      safe += "&quot;";
    } else if (code < 0x20 || code == 0x7f) {
      safe += ' ';
    } else {
      safe += c;
    }
  }
  return safe;
}

/// A tenth of a pixel is enough.
std::string number(double value) {
  std::string text = fmt::format("{:.1f}", value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

}  // namespace

Svg::Svg(double width, double height, const std::string& title) {
  content_ = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"Helvetica, Arial, sans-serif\" role=\"img\">\n<title>{2}</title>\n"
      "<rect width=\"{0}\" height=\"{1}\" fill=\"#fff\"/>\n",
      number(width), number(height), escaped(title));
}

void Svg::line(double x1, double y1, double x2, double y2, const std::string& colour, double width) {
  content_ += fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{}\" stroke-width=\"{}\"/>\n",
                          number(x1), number(y1), number(x2), number(y2), colour, number(width));
}

void Svg::path(const Points& points, const std::string& colour, const std::string& dash, double width) {
  std::string places;
  for (const auto& [x, y] : points) places += fmt::format("{}{},{}", places.empty() ? "" : " ", number(x), number(y));
  content_ += fmt::format(
      "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"{}/>\n", places,
      colour, number(width), dash.empty() ? "" : fmt::format(" stroke-dasharray=\"{}\"", dash));
}

void Svg::rectangle(double x, double y, double width, double height, const std::string& fill, double opacity) {
  content_ += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"{}/>\n", number(x), number(y),
                          number(width), number(height), fill,
                          opacity < 1 ? fmt::format(" fill-opacity=\"{:.2f}\"", opacity) : "");
}

void Svg::text(double x, double y, const std::string& text, Anchor anchor, double size, double turn) {
  constexpr std::array kAnchors{"start", "middle", "end"};
  content_ +=
      fmt::format("<text x=\"{0}\" y=\"{1}\" font-size=\"{2}\" text-anchor=\"{3}\" fill=\"#222\"{4}>{5}</text>\n",
                  number(x), number(y), number(size), kAnchors[static_cast<std::size_t>(anchor)],
                  turn != 0 ? fmt::format(" transform=\"rotate({} {} {})\"", number(turn), number(x), number(y)) : "",
                  escaped(text));
}

void Svg::marker(double x, double y, std::size_t shape, const std::string& colour) {
  constexpr double kSize = 4;
  const auto polygon = [&](const Points& offsets) {
    std::string places;
    for (const auto& [dx, dy] : offsets)
      places += fmt::format("{},{} ", number(x + dx * kSize), number(y + dy * kSize));
    content_ += fmt::format("<polygon points=\"{}\" fill=\"{}\"/>\n", places, colour);
  };
  switch (shape % kStrokes) {
    case 0:
      content_ += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\"/>\n", number(x), number(y),
                              number(kSize), colour);
      break;
    case 1:
      polygon({{-1, -1}, {1, -1}, {1, 1}, {-1, 1}});
      break;
    case 2:
      polygon({{0, -1.2}, {1.1, 1}, {-1.1, 1}});
      break;
    case 3:
      polygon({{0, -1.4}, {1.2, 0}, {0, 1.4}, {-1.2, 0}});
      break;
    case 4:
      path({{x - kSize, y - kSize}, {x + kSize, y + kSize}}, colour, "", 2);
      path({{x - kSize, y + kSize}, {x + kSize, y - kSize}}, colour, "", 2);
      break;
    case 5:
      content_ +=
          fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"#fff\" stroke=\"{}\" stroke-width=\"1.8\"/>\n",
                      number(x), number(y), number(kSize), colour);
      break;
    case 6:
      polygon({{0, 1.2}, {1.1, -1}, {-1.1, -1}});
      break;
    default:
      path({{x - kSize, y}, {x + kSize, y}}, colour, "", 2);
      path({{x, y - kSize}, {x, y + kSize}}, colour, "", 2);
  }
}

std::string Svg::finish() const { return content_ + "</svg>\n"; }

const Stroke& stroke(std::size_t series) {
  static const std::array<Stroke, kStrokes> kAll{{{"#0072b2", "", 0},
                                                  {"#d55e00", "7 3", 1},
                                                  {"#009e73", "2 2", 2},
                                                  {"#cc79a7", "9 3 2 3", 3},
                                                  {"#000000", "4 4", 4},
                                                  {"#e69f00", "12 4", 5},
                                                  {"#56b4e9", "1 3", 6},
                                                  {"#7f7f7f", "6 2 1 2 1 2", 7}}};
  return kAll[series % kStrokes];
}

}  // namespace etude::report
