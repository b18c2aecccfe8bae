#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace etude::report {

struct Figure {
  std::string name;  ///< of the file, without ".svg"
  std::string svg;
};

/// What of the report's model (docs/formats.md) can be drawn: the configurations with their intervals, learning curves
/// by tokens, time and operations, loss by position, confusion matrices of the best run, and what generated music is
/// like. Figures without data are left out. Of more than eight configurations the best eight are drawn.
std::vector<Figure> figures_of(const nlohmann::json& model);

}  // namespace etude::report
