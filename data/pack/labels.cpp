#include "data/pack/labels.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "data/pack/text.h"
#include "framework/config/error.h"
#include "framework/files/files.h"

namespace etude::data {
namespace {

/// Takes the next row off the text. Quoted fields may hold commas, line ends and doubled quotes.
std::vector<std::string> take_row(std::string_view& text, int& line) {
  std::vector<std::string> row(1);
  bool quoted = false;
  while (!text.empty()) {
    const char letter = text.front();
    text.remove_prefix(1);
    if (letter == '\n') ++line;
    if (quoted) {
      if (letter != '"') {
        row.back() += letter;
      } else if (text.starts_with('"')) {
        row.back() += '"';
        text.remove_prefix(1);
      } else {
        quoted = false;
      }
    } else if (letter == '"' && row.back().empty()) {
      quoted = true;
    } else if (letter == ',') {
      row.emplace_back();
    } else if (letter == '\n') {
      break;
    } else if (letter != '\r') {
      row.back() += letter;
    }
  }
  for (std::string& field : row) field = clean_text(field);
  return row;
}

std::optional<std::size_t> key_column(const std::vector<std::string>& header) {
  for (const char* name : {"file", "name", "id"}) {
    const auto found =
        std::ranges::find_if(header, [&](const std::string& column) { return lower_case(column) == name; });
    if (found != header.end()) return static_cast<std::size_t>(found - header.begin());
  }
  return std::nullopt;
}

}  // namespace

Labels Labels::read(const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file))
    throw UsageError(fmt::format("{}: no such table of labels", file.string()));
  return parse(files::read(file), file.string());
}

Labels Labels::parse(std::string_view csv, const std::string& name) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (csv.starts_with(kByteOrderMark)) csv.remove_prefix(kByteOrderMark.size());
  int line = 1;
  const std::vector<std::string> header = take_row(csv, line);
  const auto key = key_column(header);
  if (!key) {
    throw UsageError(
        fmt::format("{}:1: the header must have a column 'file', 'name' or 'id' that says which piece a row "
                    "is about",
                    name));
  }
  Labels labels;
  while (!csv.empty()) {
    const int row_line = line;
    const std::vector<std::string> row = take_row(csv, line);
    if (row.size() == 1 && row[0].empty()) continue;
    if (row.size() != header.size()) {
      throw UsageError(
          fmt::format("{}:{}: {} fields, but the header has {}", name, row_line, row.size(), header.size()));
    }
    std::map<std::string, std::string> values;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i != *key) values[header[i]] = row[i];
    }
    if (!labels.rows_.emplace(row[*key], std::move(values)).second) {
      throw UsageError(fmt::format("{}:{}: '{}' stands in the table twice", name, row_line, row[*key]));
    }
  }
  return labels;
}

const std::string* Labels::row_of(const std::string& piece) const {
  const std::filesystem::path file = piece.substr(0, piece.rfind('#'));
  for (const std::string& name : {piece, file.generic_string(), file.filename().string(), file.stem().string()}) {
    const auto found = rows_.find(name);
    if (found != rows_.end()) return &found->first;
  }
  return nullptr;
}

const std::map<std::string, std::string>& Labels::of(const std::string& piece) const {
  static const std::map<std::string, std::string> none;
  const std::string* row = row_of(piece);
  return row != nullptr ? rows_.at(*row) : none;
}

std::vector<std::string> Labels::unused(const std::set<std::string>& pieces) const {
  std::set<std::string_view> used;
  for (const std::string& piece : pieces) {
    if (const std::string* row = row_of(piece)) used.insert(*row);
  }
  std::vector<std::string> rest;
  for (const auto& [name, values] : rows_) {
    if (!used.contains(name)) rest.push_back(name);
  }
  return rest;
}

}  // namespace etude::data
