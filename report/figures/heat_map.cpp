#include "report/figures/heat_map.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "report/figures/lines.h"
#include "report/figures/svg.h"
#include "report/formats/cells.h"

namespace etude::report {
namespace {

constexpr std::size_t kMostCells = 40'000;

std::string note_name(int key) {
  constexpr std::array kNames{"C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"};
  return fmt::format("{}{}", kNames[static_cast<std::size_t>(((key % 12) + 12) % 12)], key / 12 - 1);
}

/// Names of rows or columns: those given, or keys counted from the lowest.
std::vector<std::string> names_of(const Json& matrix, std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) {
    const Json& given = at(matrix, "names");
    const Json& lowest = at(matrix, "lowest");
    if (given.is_array() && i < given.size() && given[i].is_string()) {
      names.push_back(given[i].get<std::string>());
    } else if (lowest.is_number_integer()) {
      names.push_back(note_name(std::clamp(lowest.get<int>(), 0, 127) + static_cast<int>(i)));
    } else {
      names.push_back(given.is_array() ? "none" : std::to_string(i));
    }
  }
  return names;
}

double share_of(const HeatMap& map, std::size_t row, std::size_t column) {
  const double sum = std::accumulate(map.counts[row].begin(), map.counts[row].end(), 0.0);
  return sum > 0 ? map.counts[row][column] / sum : 0;
}

/// From white to a dark blue, evenly in lightness.
std::string shade(double share) {
  const double depth = std::sqrt(std::clamp(share, 0.0, 1.0));  // small shares are the interesting ones
  const auto between = [depth](double light, double dark) {
    return static_cast<int>(std::lround(light + depth * (dark - light)));
  };
  return fmt::format("#{:02x}{:02x}{:02x}", between(255, 3), between(255, 30), between(255, 80));
}

}  // namespace

HeatMap heat_map_of(const Json& matrix, const std::string& title) {
  HeatMap map{title, {}, {}, {}};
  const Json& counts = at(matrix, "counts");
  if (!counts.is_array() || counts.empty()) return map;
  std::size_t columns = 0;
  for (const Json& row : counts) {
    if (!row.is_array() || (columns != 0 && row.size() != columns)) return map;
    columns = row.size();
  }
  if (columns == 0 || counts.size() * columns > kMostCells) return map;
  std::vector<std::vector<double>> values;
  for (const Json& row : counts) {
    std::vector<double> numbers;
    for (const Json& one : row) numbers.push_back(one.is_number() ? std::max(0.0, one.get<double>()) : 0);
    values.push_back(std::move(numbers));
  }
  // Keys that nobody plays at either end would be most of a matrix of pitches.
  std::size_t first = values.size(), last = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool used = std::ranges::any_of(values[i], [](double count) { return count > 0; }) ||
                      (i < columns && std::ranges::any_of(values, [i](const auto& row) { return row[i] > 0; }));
    if (!used) continue;
    first = std::min(first, i);
    last = i;
  }
  if (first > last) return map;
  const std::vector<std::string> names = names_of(matrix, values.size());
  const bool has_none = columns == values.size() + 1;
  for (std::size_t i = first; i <= last; ++i) {
    map.rows.push_back(names[i]);
    std::vector<double> row;
    for (std::size_t j = first; j <= std::min(last, columns - 1); ++j) row.push_back(values[i][j]);
    if (has_none) row.push_back(values[i].back());
    map.counts.push_back(std::move(row));
  }
  map.columns = map.rows;
  map.columns.resize(std::min(map.columns.size(), map.counts.front().size()));
  if (has_none) map.columns.push_back("none");
  return map;
}

std::string draw(const HeatMap& map) {
  if (map.rows.empty()) return "";
  constexpr double kLeft = 120, kTop = 40, kMostSide = 560, kLargestCell = 46;
  const double rows = static_cast<double>(map.rows.size()), columns = static_cast<double>(map.columns.size());
  const double cell = std::min(kLargestCell, kMostSide / std::max(rows, columns));
  const double right = kLeft + cell * columns, bottom = kTop + cell * rows;
  Svg svg(std::max(right + 20, 480.0), bottom + 110, map.title);
  svg.text(10, 20, shortened(map.title, 90), Svg::Anchor::kStart, 12);
  constexpr double kRoomForText = 30, kRoomForName = 11;
  const auto every = static_cast<std::size_t>(std::ceil(kRoomForName / cell));
  for (std::size_t i = 0; i < map.rows.size(); ++i) {
    const double y = kTop + cell * static_cast<double>(i);
    if (i % every == 0) svg.text(kLeft - 6, y + cell / 2 + 4, shortened(map.rows[i], 16), Svg::Anchor::kEnd, 10);
    for (std::size_t j = 0; j < map.columns.size(); ++j) {
      const double share = share_of(map, i, j), x = kLeft + cell * static_cast<double>(j);
      if (share <= 0) continue;
      svg.rectangle(x, y, cell, cell, shade(share));
      if (cell < kRoomForText || share < 0.005) continue;
      // On a dark cell the figure stands in a light box.
      if (share > 0.2) svg.rectangle(x + 5, y + cell / 2 - 8, cell - 10, 16, "#fff", 0.85);
      svg.text(x + cell / 2, y + cell / 2 + 4, fmt::format("{:.0f} %", 100 * share), Svg::Anchor::kMiddle, 10);
    }
  }
  for (std::size_t j = 0; j < map.columns.size(); j += every) {
    const double x = kLeft + cell * (static_cast<double>(j) + 0.5);
    svg.text(x + 3, bottom + 8, shortened(map.columns[j], 16), Svg::Anchor::kEnd, 10, -60);
  }
  for (const double x : {kLeft, right}) svg.line(x, kTop, x, bottom, "#444");
  for (const double y : {kTop, bottom}) svg.line(kLeft, y, right, y, "#444");
  svg.text(kLeft, bottom + 98, "rows: due; columns: held likeliest; shade: share of the row", Svg::Anchor::kStart, 11);
  return svg.finish();
}

}  // namespace etude::report
