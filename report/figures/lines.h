#pragma once

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace etude::report {

/// A curve under its name.
struct NamedLine {
  std::string name;
  std::vector<std::pair<double, double>> points;
};

struct LineChart {
  std::string title;
  std::string x_words;
  std::string y_words;
  bool logarithmic = false;  ///< along x; values must be above 0
  std::vector<NamedLine> lines = {};
};
/// Empty where no line has a point. Lines are told apart by colour, dashes and markers.
std::string draw(const LineChart& chart);

/// Bars of two kinds side by side.
struct BarChart {
  std::string title;
  std::vector<std::string> bins;
  std::vector<double> generated;
  std::vector<double> reference;
};
std::string draw(const BarChart& chart);
/// One histogram of music.json.
BarChart bars_of(const nlohmann::json& histogram, const std::string& name);

/// One measure of music.json, as the share of pieces that lie below each value, of generated pieces and the reference.
LineChart shares_below(const nlohmann::json& measure, const std::string& name);

/// At most `most` characters.
std::string shortened(const std::string& text, std::size_t most);
/// Letters, digits and hyphens alone.
std::string file_word(const std::string& text);

}  // namespace etude::report
