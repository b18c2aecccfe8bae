#include "cli/table.h"

#include <algorithm>

#include <fmt/format.h>

namespace etude::cli {

void print_table(const std::vector<Row>& rows, const std::vector<std::string>& remarks) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (std::size_t i = 0; i < widths.size(); ++i) line += fmt::format("{:<{}}  ", rows[r][i], widths[i]);
    while (line.ends_with(' ')) line.pop_back();
    fmt::print("{}\n", line);
    if (r < remarks.size() && !remarks[r].empty()) fmt::print("    {}\n", remarks[r]);
  }
}

}  // namespace etude::cli
