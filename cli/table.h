#pragma once

#include <string>
#include <vector>

namespace etude::cli {

using Row = std::vector<std::string>;

/// Prints rows as long as the first, in columns; under a row its remark, where it has one.
void print_table(const std::vector<Row>& rows, const std::vector<std::string>& remarks = {});

}  // namespace etude::cli
