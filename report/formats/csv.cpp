#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report/formats/cells.h"
#include "report/formats/formats.h"

namespace etude::report {
namespace {

std::string cell(const Json& value) {
  if (value.is_null()) return "";
  const std::string text =
      value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

/// A column: its name, and what stands in it for a run.
struct Column {
  std::string name;
  std::vector<const char*> path;
};

const std::vector<Column>& columns() {
  static const std::vector<Column> all{{"run", {"name"}},
                                       {"folder", {"folder"}},
                                       {"kind", {"kind"}},
                                       {"seed", {"seed"}},
                                       {"state", {"state"}},
                                       {"step", {"step"}},
                                       {"loss_per_note", {"metrics", "loss_per_note"}},
                                       {"loss_per_second", {"metrics", "loss_per_second"}},
                                       {"loss", {"metrics", "loss"}},
                                       {"perplexity", {"metrics", "perplexity"}},
                                       {"top1", {"metrics", "top1"}},
                                       {"top5", {"metrics", "top5"}},
                                       {"calibration_error", {"metrics", "calibration_error"}},
                                       {"grammar_errors", {"metrics", "grammar_errors"}},
                                       {"interval_low", {"interval", "low"}},
                                       {"interval_high", {"interval", "high"}},
                                       {"parameters", {"parameters"}},
                                       {"tokens", {"tokens"}},
                                       {"seconds", {"seconds"}},
                                       {"flops", {"flops"}},
                                       {"core_hours", {"cost", "core_hours"}},
                                       {"gpu_hours", {"cost", "gpu_hours"}},
                                       {"money", {"cost", "money"}},
                                       {"currency", {"cost", "currency"}}};
  return all;
}

}  // namespace

std::string csv(const Json& model) {
  const auto groups = by_id(at(model, "groups"));
  std::vector<std::string> head;
  for (const Column& column : columns()) head.push_back(column.name);
  head.insert(head.end(), {"configuration", "split", "interval_of", "remarks"});
  for (const Json& one : at(model, "differences")) head.push_back(cell("config." + text_of(at(one, "key"))));
  std::string text = fmt::format("{}\r\n", fmt::join(head, ","));
  std::size_t number = 0;
  for (const Json& run : at(model, "runs")) {
    std::vector<std::string> row;
    for (const Column& column : columns()) {
      const Json* value = &run;
      for (const char* key : column.path) value = &at(*value, key);
      row.push_back(cell(*value));
    }
    const auto group = groups.find(text_of(at(run, "group")));
    row.push_back(group == groups.end() ? "" : cell(at(*group->second, "name")));
    row.push_back(cell(at(at(model, "metric"), "split")));
    row.push_back(cell(at(at(model, "metric"), "name")));
    std::vector<std::string> marks;
    for (const Json& mark : at(run, "marks")) marks.push_back(text_of(mark));
    row.push_back(cell(fmt::format("{}", fmt::join(marks, "; "))));
    for (const Json& one : at(model, "differences")) {
      const Json& values = at(one, "values");
      row.push_back(number < values.size() ? cell(values[number]) : "");
    }
    text += fmt::format("{}\r\n", fmt::join(row, ","));
    ++number;
  }
  return text;
}

}  // namespace etude::report
