#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace etude::report {

/// A matrix of counts, each row shown as shares of its sum.
struct HeatMap {
  std::string title;
  std::vector<std::string> rows;     ///< what was due
  std::vector<std::string> columns;  ///< what was held likeliest
  std::vector<std::vector<double>> counts;
};

/// One matrix of evaluation.json: {names or lowest, counts}. Rows and columns at the edges without a count are left
/// out. Empty where it is none.
HeatMap heat_map_of(const nlohmann::json& matrix, const std::string& title);

/// Dark is much, in one hue, so that it prints and is seen by all; small matrices have their shares written into them.
/// Empty where there is nothing to draw.
std::string draw(const HeatMap& map);

}  // namespace etude::report
