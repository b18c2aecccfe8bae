#include "cli/table.h"

#include <algorithm>

#include <fmt/format.h>

#include "framework/log/text.h"

namespace etude::cli {

void print_table(const std::vector<Row>& rows, const std::vector<std::string>& remarks) {
  // Cells hold names and words of anybody's.
  std::vector<std::vector<std::u32string>> cells;
  std::vector<int> widths(rows.front().size());
  for (const Row& row : rows) {
    cells.emplace_back();
    for (std::size_t i = 0; i < widths.size(); ++i) {
      cells.back().push_back(log::printable(row[i], true));
      widths[i] = std::max(widths[i], log::columns_of(cells.back().back()));
    }
  }
  constexpr std::size_t kBetween = 2;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const auto missing = static_cast<std::size_t>(widths[i] - log::columns_of(cells[r][i]));
      line += log::to_utf8(cells[r][i]) + std::string(missing + kBetween, ' ');
    }
    while (line.ends_with(' ')) line.pop_back();
    fmt::print("{}\n", line);
    if (r < remarks.size() && !remarks[r].empty())
      fmt::print("    {}\n", log::to_utf8(log::printable(remarks[r], true)));
  }
}

}  // namespace etude::cli
