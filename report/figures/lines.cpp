#include "report/figures/lines.h"

#include <algorithm>
#include <cctype>
#include <limits>

#include <fmt/format.h>

#include "report/figures/axes.h"
#include "report/formats/cells.h"

namespace etude::report {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kWidth = 720, kHeight = 380, kLegendRow = 20;

struct Bounds {
  double x_low = kInfinity, x_high = -kInfinity, y_low = kInfinity, y_high = -kInfinity;
};

Bounds bounds_of(const LineChart& chart) {
  Bounds bounds;
  for (const NamedLine& line : chart.lines) {
    for (const auto& [x, y] : line.points) {
      bounds.x_low = std::min(bounds.x_low, x);
      bounds.x_high = std::max(bounds.x_high, x);
      bounds.y_low = std::min(bounds.y_low, y);
      bounds.y_high = std::max(bounds.y_high, y);
    }
  }
  return bounds;
}

/// So many markers that they say which line it is, and not so many that they hide it.
constexpr std::size_t kMarkers = 8;

void draw_line(Svg& svg, const Svg::Points& points, const Stroke& how) {
  svg.path(points, how.colour, how.dash);
  const std::size_t step = std::max<std::size_t>(1, points.size() / kMarkers);
  for (std::size_t i = 0; i < points.size(); i += step)
    svg.marker(points[i].first, points[i].second, how.shape, how.colour);
}

std::vector<double> numbers(const Json& list) {
  std::vector<double> all;
  if (!list.is_array()) return all;
  for (const Json& one : list) {
    if (one.is_number()) all.push_back(one.get<double>());
  }
  return all;
}

NamedLine cumulative(const std::string& name, std::vector<double> values) {
  std::ranges::sort(values);
  NamedLine line{name, {}};
  const double size = static_cast<double>(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    line.points.emplace_back(values[i], static_cast<double>(i) / size);
    line.points.emplace_back(values[i], static_cast<double>(i + 1) / size);
  }
  return line;
}

}  // namespace

std::string shortened(const std::string& text, std::size_t most) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((text[i] & 0xc0) == 0x80) continue;
    if (++characters > most) return text.substr(0, i) + "…";
  }
  return text;
}

std::string file_word(const std::string& text) {
  std::string word;
  for (const char c : text) word += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '-';
  return word;
}

std::string draw(const LineChart& chart) {
  const Bounds bounds = bounds_of(chart);
  if (!(bounds.x_high >= bounds.x_low)) return "";
  const Frame frame{70, 20, kWidth - 20, kHeight - 60};
  const double room = (bounds.y_high - bounds.y_low) * 0.05;
  const Scale x(chart.logarithmic ? bounds.x_low : std::min(0.0, bounds.x_low), bounds.x_high, frame.left, frame.right,
                chart.logarithmic && bounds.x_high > bounds.x_low);
  const Scale y(bounds.y_low - room, bounds.y_high + room, frame.bottom, frame.top);
  Svg svg(kWidth, kHeight + kLegendRow * static_cast<double>(chart.lines.size()), chart.title);
  draw_axes(svg, frame, x, y, chart.x_words, chart.y_words);
  double legend = kHeight;
  for (std::size_t i = 0; i < chart.lines.size(); ++i) {
    const NamedLine& line = chart.lines[i];
    Svg::Points points;
    for (const auto& [px, py] : line.points) points.emplace_back(x(px), y(py));
    draw_line(svg, points, stroke(i));
    draw_line(svg, {{frame.left, legend - 4}, {frame.left + 40, legend - 4}}, stroke(i));
    svg.text(frame.left + 50, legend, shortened(line.name, 80) + (points.empty() ? " (no data)" : ""));
    legend += kLegendRow;
  }
  return svg.finish();
}

std::string draw(const BarChart& chart) {
  const std::size_t bins = std::min({chart.bins.size(), chart.generated.size(), chart.reference.size()});
  if (bins == 0) return "";
  double high = 0;
  for (std::size_t i = 0; i < bins; ++i) high = std::max({high, chart.generated[i], chart.reference[i]});
  const Frame frame{70, 20, kWidth - 20, kHeight - 80};
  const Scale y(0, high > 0 ? high * 1.05 : 1, frame.bottom, frame.top);
  Svg svg(kWidth, kHeight, chart.title);
  for (const double tick : y.ticks()) {
    svg.line(frame.left, y(tick), frame.right, y(tick), "#ddd");
    svg.text(frame.left - 6, y(tick) + 4, fmt::format("{:.3g} %", 100 * tick), Svg::Anchor::kEnd, 11);
  }
  const double step = (frame.right - frame.left) / static_cast<double>(bins), bar = step * 0.4;
  constexpr std::size_t kMostLabels = 24;
  const std::size_t every = bins / kMostLabels + 1;
  // Filled bars and hollow ones: told apart in black and white too.
  const auto hollow = [&svg](double x1, double top, double width, double bottom) {
    svg.path({{x1, bottom}, {x1, top}, {x1 + width, top}, {x1 + width, bottom}, {x1, bottom}}, "#d55e00", "", 1.2);
  };
  for (std::size_t i = 0; i < bins; ++i) {
    const double left = frame.left + step * (static_cast<double>(i) + 0.1);
    svg.rectangle(left, y(chart.generated[i]), bar, frame.bottom - y(chart.generated[i]), "#0072b2");
    hollow(left + bar, y(chart.reference[i]), bar, frame.bottom);
    if (i % every == 0) svg.text(left + bar, frame.bottom + 14, shortened(chart.bins[i], 8), Svg::Anchor::kMiddle, 10);
  }
  svg.line(frame.left, frame.bottom, frame.right, frame.bottom, "#444");
  svg.text(frame.left, frame.bottom + 34, chart.title);
  svg.rectangle(frame.left, frame.bottom + 46, 12, 12, "#0072b2");
  svg.text(frame.left + 18, frame.bottom + 56, "generated");
  hollow(frame.left + 110, frame.bottom + 46, 12, frame.bottom + 58);
  svg.text(frame.left + 128, frame.bottom + 56, "reference");
  return svg.finish();
}

BarChart bars_of(const Json& histogram, const std::string& name) {
  BarChart chart{.title = fmt::format("{}: {}", name, text_of(at(histogram, "words"))),
                 .bins = {},
                 .generated = numbers(at(histogram, "generated")),
                 .reference = numbers(at(histogram, "reference"))};
  if (!at(histogram, "bins").is_array()) return chart;
  for (const Json& bin : at(histogram, "bins")) chart.bins.push_back(bin.is_string() ? text_of(bin) : bin.dump());
  return chart;
}

LineChart shares_below(const Json& measure, const std::string& name) {
  const std::string unit = text_of(at(measure, "unit"));
  LineChart chart{.title = fmt::format("{}: {}", name, text_of(at(measure, "words"))),
                  .x_words = text_of(at(measure, "words")) + (unit.empty() ? "" : fmt::format(" ({})", unit)),
                  .y_words = "share of pieces with less"};
  const auto generated = numbers(at(at(measure, "values"), "generated"));
  const auto reference = numbers(at(at(measure, "values"), "reference"));
  if (generated.empty() || reference.empty()) return chart;
  chart.lines = {cumulative(fmt::format("generated by {}", name), generated), cumulative("reference", reference)};
  return chart;
}

}  // namespace etude::report
