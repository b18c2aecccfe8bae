#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report/formats/cells.h"
#include "report/formats/formats.h"

namespace etude::report {
namespace {

constexpr std::size_t kMostColumns = 8;  ///< of runs side by side

/// Text in a cell or a line: nothing of it is markup.
std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : plain(text)) {
    if (c == '<') {
      safe += "&lt;";
      continue;
    }
    if (c == '|' || c == '\\' || c == '`') safe += '\\';
    safe += c;
  }
  return safe;
}

/// Characters, as far as a terminal shows one in a column.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

using Row = std::vector<std::string>;

/// The first column to the left, the others to the right.
std::string table(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 3);
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string text;
  const auto add = [&](const Row& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - width(row[i]), ' ');
      text += i == 0 ? fmt::format("| {}{}", row[i], padding) : fmt::format(" | {}{}", padding, row[i]);
    }
    text += " |\n";
  };
  add(rows.front());
  for (std::size_t i = 0; i < widths.size(); ++i) {
    text += i == 0 ? fmt::format("|{:-<{}}", "", widths[i] + 2) : fmt::format("|{:-<{}}:", "", widths[i] + 1);
  }
  text += "|\n";
  for (std::size_t i = 1; i < rows.size(); ++i) add(rows[i]);
  return text;
}

std::string heading(const char* text) { return fmt::format("\n## {}\n\n", text); }

std::string configurations(const Json& model) {
  const Json& metric = at(model, "metric");
  std::vector<Row> rows{{"configuration", "runs", text_of(at(metric, "name")), "95 % interval", "between seeds",
                         "parameters", "tokens", "training", "cost of one"}};
  for (const GroupRow& row : group_rows(model)) {
    const Json& group = *row.group;
    rows.push_back({escaped(row.name), std::to_string(at(group, "runs").size()), figure(at(group, "mean")),
                    interval(at(at(group, "interval"), "low"), at(at(group, "interval"), "high")),
                    figure(at(group, "deviation")), amount(at(*row.first, "parameters")),
                    amount(at(*row.first, "tokens")), duration(at(group, "seconds")), cost(at(group, "cost"))});
  }
  return heading("Configurations") + table(rows);
}

std::string runs(const Json& model) {
  std::vector<Row> rows{
      {"run", "seed", "state", "step", "loss per note", "loss per token", "perplexity", "top-1", "top-5", "training"}};
  for (const Json& run : at(model, "runs")) {
    const Json& metrics = at(run, "metrics");
    rows.push_back({escaped(text_of(at(run, "name"))), at(run, "seed").is_null() ? "–" : at(run, "seed").dump(),
                    text_of(at(run, "state")), figure(at(run, "step"), 0), figure(at(metrics, "loss_per_note")),
                    figure(at(metrics, "loss")), figure(at(metrics, "perplexity"), 2), share(at(metrics, "top1")),
                    share(at(metrics, "top5")), duration(at(run, "seconds"))});
  }
  return heading("Runs") + table(rows);
}

std::string comparisons(const Json& model) {
  const auto groups = by_id(at(model, "groups"));
  const auto name = [&](const Json& id) {
    const auto found = groups.find(text_of(id));
    return found == groups.end() ? std::string("?") : escaped(text_of(at(*found->second, "name")));
  };
  std::string text;
  if (!at(model, "comparisons").empty()) {
    std::vector<Row> rows{{"a", "b", "a less b", "95 % interval", "verdict"}};
    for (const Json& one : at(model, "comparisons")) {
      rows.push_back({name(at(one, "a")), name(at(one, "b")), figure(at(one, "difference")),
                      interval(at(one, "low"), at(one, "high")), text_of(at(one, "verdict"))});
    }
    text += heading("Comparisons") + table(rows);
  }
  if (at(model, "refused").empty()) return text;
  text += heading("Not comparable");
  for (const Json& one : at(model, "refused")) {
    text +=
        fmt::format("- {} and {}: {}\n", name(at(one, "a")), name(at(one, "b")), escaped(text_of(at(one, "reason"))));
  }
  return text;
}

std::string remarks(const Json& model) {
  std::string text;
  for (const Json& run : at(model, "runs")) {
    for (const Json& mark : at(run, "marks")) {
      text += fmt::format("- {}: {}\n", escaped(text_of(at(run, "name"))), escaped(text_of(mark)));
    }
  }
  return text.empty() ? "" : heading("Remarks") + text;
}

std::string value_cell(const Json& value) {
  if (value.is_null()) return "–";
  return escaped(value.is_string() ? value.get<std::string>() : value.dump());
}

std::string differences(const Json& model) {
  const Json& runs = at(model, "runs");
  if (at(model, "differences").empty() || runs.size() > kMostColumns) return "";
  Row head{"option"};
  for (const Json& run : runs) head.push_back(escaped(text_of(at(run, "name"))));
  std::vector<Row> rows{head};
  for (const Json& one : at(model, "differences")) {
    Row row{escaped(text_of(at(one, "key")))};
    for (const Json& value : at(one, "values")) row.push_back(value_cell(value));
    row.resize(head.size());
    rows.push_back(row);
  }
  return heading("What differs") + table(rows);
}

std::string listeners(const Json& model) {
  const Json& preferences = at(model, "preferences");
  if (!preferences.is_object()) return "";
  std::string text = heading("What listeners preferred");
  if (const std::string sentence = text_of(at(preferences, "sentence")); !sentence.empty())
    text += escaped(sentence) + "\n";
  std::vector<Row> rows{{"a", "b", "a preferred", "b preferred", "no preference", "share of a", "95 % interval"}};
  for (const Json& pair : at(preferences, "pairs")) {
    rows.push_back({escaped(text_of(at(pair, "a"))), escaped(text_of(at(pair, "b"))), figure(at(pair, "wins_a"), 0),
                    figure(at(pair, "wins_b"), 0), figure(at(pair, "ties"), 0), figure(at(pair, "rate"), 2),
                    interval(at(pair, "low"), at(pair, "high"))});
  }
  return rows.size() == 1 ? text : text + "\n" + table(rows);
}

}  // namespace

std::string markdown(const Json& model) {
  std::string text = fmt::format("# {}\n\n", escaped(text_of(at(model, "title"))));
  for (const Json& sentence : at(model, "summary")) text += fmt::format("- {}\n", escaped(text_of(sentence)));
  text +=
      configurations(model) + comparisons(model) + runs(model) + listeners(model) + differences(model) + remarks(model);
  const Json& made = at(model, "made");
  return text + fmt::format("\nMade by {} at {}.\n", escaped(text_of(at(made, "program"))), text_of(at(made, "at")));
}

}  // namespace etude::report
