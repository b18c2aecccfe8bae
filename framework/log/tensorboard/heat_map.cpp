#include "framework/log/tensorboard/heat_map.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/config/error.h"

namespace etude::tensorboard {
namespace {

constexpr int kOctave = 12;
constexpr std::size_t kAllNamed = 40;  ///< with more rows than that, one an octave has a name
constexpr int kGap = 6;

struct Matrix {
  std::vector<std::vector<double>> counts;  ///< [due][guessed]
  std::vector<std::string> rows, columns;   ///< their names; empty for those that have none
};

std::string name_of(const std::string& what, int number) {
  constexpr std::array kNotes{"C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"};
  if (what != "pitches") return fmt::format("{}", number);
  return fmt::format("{}{}", kNotes.at(static_cast<std::size_t>(number % kOctave)), number / kOctave - 1);
}

Matrix read(const std::string& what, const nlohmann::json& confusion) {
  Matrix matrix;
  try {
    matrix.counts = confusion.at("counts").get<std::vector<std::vector<double>>>();
    if (confusion.contains("names")) {
      matrix.rows = confusion.at("names").get<std::vector<std::string>>();
    } else {
      const int lowest = confusion.at("lowest").get<int>();
      const int count = static_cast<int>(matrix.counts.size());
      for (int i = lowest; i < lowest + count; ++i) {
        const bool named = matrix.counts.size() <= kAllNamed || i % kOctave == 0;
        matrix.rows.push_back(named ? name_of(what, i) : "");
      }
    }
  } catch (const nlohmann::json::exception& error) {
    throw Error(fmt::format("the confusion matrix '{}' cannot be drawn: {}", what, error.what()));
  }
  const auto uneven = [&](const auto& row) { return row.size() != matrix.counts.front().size(); };
  if (matrix.counts.empty() || std::ranges::any_of(matrix.counts, uneven)) {
    throw Error(fmt::format("the confusion matrix '{}' cannot be drawn: its rows have not one length", what));
  }
  matrix.rows.resize(matrix.counts.size());
  matrix.columns = matrix.rows;
  if (matrix.counts.front().size() > matrix.columns.size()) matrix.columns.push_back("none");
  matrix.columns.resize(matrix.counts.front().size());
  return matrix;
}

/// White for nothing to a dark blue for all, evenly darker on the way also to an eye that sees no colours. The root
/// spreads the small shares, which tell most.
Colour shade(double share) {
  const double depth = std::sqrt(std::clamp(share, 0.0, 1.0));
  const auto mix = [&](double dark) { return static_cast<std::uint8_t>(std::lround(255 + (dark - 255) * depth)); };
  return {mix(8), mix(48), mix(107)};
}

int width_of(const std::vector<std::string>& names) {
  std::size_t longest = 0;
  for (const std::string& name : names) longest = std::max(longest, name.size());
  return static_cast<int>(longest) * Canvas::kLetterWidth;
}

}  // namespace

Canvas heat_map(const std::string& what, const nlohmann::json& confusion) {
  const Matrix matrix = read(what, confusion);
  const int rows = static_cast<int>(matrix.rows.size()), columns = static_cast<int>(matrix.columns.size());
  const int cell = std::clamp(640 / std::max(rows, columns), Canvas::kLetterHeight, 32);
  const bool in_words = cell >= 4 * Canvas::kLetterWidth;
  constexpr int kLine = Canvas::kLetterHeight + kGap;
  const int left = kGap + kLine + width_of(matrix.rows) + kGap, top = kGap + kLine + width_of(matrix.columns) + kGap;

  Canvas canvas(left + columns * cell + kGap, top + rows * cell + kGap);
  canvas.write(left, kGap, "guessed >", kBlack);
  canvas.write_upwards(kGap, top + rows * cell, "< due", kBlack);
  for (int column = 0; column < columns; ++column) {
    canvas.write_upwards(left + column * cell + (cell - Canvas::kLetterHeight) / 2, top - kGap,
                         matrix.columns[static_cast<std::size_t>(column)], kBlack);
  }
  for (int row = 0; row < rows; ++row) {
    const auto& counts = matrix.counts[static_cast<std::size_t>(row)];
    double due = 0;
    for (const double count : counts) due += count;
    const int y = top + row * cell, letters = (cell - Canvas::kLetterHeight) / 2;
    canvas.write(kGap + kLine, y + letters, matrix.rows[static_cast<std::size_t>(row)], kBlack);
    for (int column = 0; column < columns; ++column) {
      const int x = left + column * cell;
      const double share = due > 0 ? counts[static_cast<std::size_t>(column)] / due : 0;
      canvas.fill(x, y, cell, cell, due > 0 ? shade(share) : kGrey);
      if (!in_words || share == 0) continue;
      const std::string percent = fmt::format("{:.0f}", 100 * share);
      const int blank = cell - static_cast<int>(percent.size()) * Canvas::kLetterWidth + 1;
      canvas.write(x + blank / 2, y + letters, percent, share > 0.2 ? kWhite : kBlack);
    }
  }
  return canvas;
}

}  // namespace etude::tensorboard
