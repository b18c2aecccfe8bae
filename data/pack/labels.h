#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace etude::data {

/// What a table says of pieces: a CSV file (RFC 4180) whose header has a column 'file', 'name' or 'id' (in any case).
class Labels {
 public:
  Labels() = default;
  /// Throws UsageError naming file and line: no such column, a row of another length, a piece that stands twice.
  static Labels read(const std::filesystem::path& file);
  static Labels parse(std::string_view csv, const std::string& name);

  /// The other columns of a piece's row, by column; empty when it has none. A row means a piece by its name as the pack
  /// has it ("chopin/op28-4.mid", "book.abc#12"), by its file of several tunes, by the file's name alone, or by that
  /// without its extension; the first of these that is in the table.
  const std::map<std::string, std::string>& of(const std::string& piece) const;

  /// The rows that mean none of these pieces.
  std::vector<std::string> unused(const std::set<std::string>& pieces) const;

 private:
  const std::string* row_of(const std::string& piece) const;
  std::map<std::string, std::map<std::string, std::string>> rows_;
};

}  // namespace etude::data
