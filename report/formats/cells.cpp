#include "report/formats/cells.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "framework/log/format.h"

namespace etude::report {
namespace {

constexpr const char* kNothing = "–";

}  // namespace

const Json& at(const Json& object, const char* key) {
  static const Json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(key);
  return found == object.end() ? nothing : *found;
}

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : std::string(); }

std::string figure(const Json& value, int digits) {
  return value.is_number() ? fmt::format("{:.{}f}", value.get<double>(), digits) : kNothing;
}

std::string interval(const Json& low, const Json& high) {
  return low.is_number() && high.is_number() ? fmt::format("{} to {}", figure(low), figure(high)) : kNothing;
}

std::string amount(const Json& value) {
  if (!value.is_number()) return kNothing;
  const double count = value.get<double>();
  constexpr std::pair<double, const char*> kUnits[] = {{1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e3, " k"}};
  if (count >= 1e16) return fmt::format("{:.2e}", count);
  for (const auto& [unit, word] : kUnits) {
    if (count >= unit) return fmt::format("{:.3g}{}", count / unit, word);
  }
  return fmt::format("{:.0f}", count);
}

std::string share(const Json& value) {
  return value.is_number() ? fmt::format("{:.1f} %", 100 * value.get<double>()) : kNothing;
}

std::string duration(const Json& seconds) {
  return seconds.is_number() && seconds.get<double>() > 0 ? log::duration(seconds.get<double>()) : kNothing;
}

std::string cost(const Json& cost) {
  if (at(cost, "money").is_number())
    return fmt::format("{} {}", figure(at(cost, "money"), 2), text_of(at(cost, "currency")));
  if (at(cost, "gpu_hours").is_number()) return fmt::format("{:.2g} GPU-hours", at(cost, "gpu_hours").get<double>());
  if (at(cost, "core_hours").is_number()) return fmt::format("{:.2g} core-hours", at(cost, "core_hours").get<double>());
  return kNothing;
}

std::string plain(const std::string& text) {
  std::string clean;
  for (const char c : text) clean += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  return clean;
}

std::map<std::string, const Json*> by_id(const Json& list) {
  std::map<std::string, const Json*> all;
  for (const Json& one : list) all[text_of(at(one, "id"))] = &one;
  return all;
}

std::vector<GroupRow> group_rows(const Json& model) {
  const auto runs = by_id(at(model, "runs"));
  std::vector<GroupRow> rows;
  for (const Json& group : at(model, "groups")) {
    GroupRow row{.group = &group, .name = plain(text_of(at(group, "name")))};
    for (const Json& id : at(group, "runs")) {
      const auto found = runs.find(text_of(id));
      if (found == runs.end()) continue;
      const bool measured = at(*found->second, "interval").is_object();
      row.measured += measured;
      if (row.first == nullptr || (measured && row.measured == 1)) row.first = found->second;
    }
    if (row.first != nullptr) rows.push_back(row);
  }
  std::ranges::stable_sort(rows, {}, [](const GroupRow& row) {
    const Json& mean = at(*row.group, "mean");
    return mean.is_number() ? mean.get<double>() : std::numeric_limits<double>::infinity();
  });
  return rows;
}

}  // namespace etude::report
