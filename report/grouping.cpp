#include "report/grouping.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace etude::report {
namespace {

constexpr std::array kIncidental{"name",
                                 "run",
                                 "seed",
                                 "train.device",
                                 "train.threads",
                                 "train.log_every",
                                 "train.time_limit",
                                 "train.collective_timeout",
                                 "train.peak_tflops",
                                 "train.bucket_mib",
                                 "train.reduction",
                                 "train.go_on_from",
                                 "checkpoint.keep_last",
                                 "checkpoint.keep_best"};

constexpr const char* kPack = "data.pack";
constexpr const char* kLearnedFrom = "training data";

/// What a run is as far as it matters to what it learns. Packs go by what is in them where that is known, because the
/// same one may lie in many places.
Json essence(const Run& run) {
  Json kept = Json::object();
  for (const auto& [key, value] : run.config.items()) {
    if (!is_incidental(key)) kept[key] = value;
  }
  const std::string hash = Run::text(run.environment, "pack");
  if (!hash.empty()) {
    kept.erase(kPack);
    kept[kLearnedFrom] = hash;
  }
  // A run whose configuration is lost is like no other.
  if (run.config.empty()) kept["folder"] = run.folder.string();
  return kept;
}

/// "width" of "model.width", as long as no other option that differs ends in it.
std::string short_key(const std::string& key, const std::vector<std::string>& keys) {
  const auto last = [](const std::string& whole) { return whole.substr(whole.rfind('.') + 1); };
  const auto alike = std::ranges::count_if(keys, [&](const std::string& other) { return last(other) == last(key); });
  std::string word = alike > 1 ? key : last(key);
  std::ranges::replace(word, '_', ' ');
  return word;
}

/// What says most about a run comes first.
int rank_of(const std::string& key) {
  constexpr std::array kOrder{"model.kind", "model.", "train.", "data."};
  for (std::size_t i = 0; i < kOrder.size(); ++i) {
    if (key.starts_with(kOrder[i])) return static_cast<int>(i);
  }
  return static_cast<int>(kOrder.size());
}

std::string value_in_name(const std::string& key, const Json& value) {
  constexpr std::size_t kHashShown = 8;
  if (key == kLearnedFrom && value.is_string()) return value.get<std::string>().substr(0, kHashShown);
  return value_text(value);
}

std::string name_of(const Json& essence, std::vector<std::string> keys) {
  constexpr std::size_t kMostKeys = 4;
  std::ranges::stable_sort(keys, {}, rank_of);
  std::vector<std::string> parts;
  for (const std::string& key : keys) {
    if (!essence.contains(key) || essence[key].is_null()) continue;
    if (parts.size() == kMostKeys) {
      parts.push_back("…");
      break;
    }
    const std::string value = value_in_name(key, essence[key]);
    parts.push_back(key == "model.kind" ? value : fmt::format("{} {}", short_key(key, keys), value));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// Keys whose values are not the same in all.
std::vector<std::string> differing_keys(const std::vector<Json>& all) {
  std::set<std::string> keys, differ;
  for (const Json& one : all) {
    for (const auto& [key, value] : one.items()) keys.insert(key);
  }
  for (const std::string& key : keys) {
    const auto value = [&](const Json& one) { return one.contains(key) ? one[key] : Json(nullptr); };
    const Json first = value(all.front());
    if (std::ranges::any_of(all, [&](const Json& one) { return value(one) != first; })) differ.insert(key);
  }
  return {differ.begin(), differ.end()};
}

/// Of these keys, those whose values differ among runs that have them: what only one kind of model has says no more
/// than the kind does.
std::vector<std::string> telling_keys(const std::vector<Json>& all, const std::vector<std::string>& keys) {
  std::vector<std::string> telling;
  for (const std::string& key : keys) {
    const Json* first = nullptr;
    for (const Json& one : all) {
      if (!one.contains(key)) continue;
      if (first == nullptr) first = &one[key];
      if (one[key] == *first) continue;
      telling.push_back(key);
      break;
    }
  }
  return telling;
}

/// Divides runs that may not be compared; those without a measurement go with the first part.
std::vector<std::vector<std::size_t>> divide(const std::vector<std::size_t>& runs,
                                             const std::vector<std::size_t>& table, std::size_t none) {
  std::map<std::size_t, std::vector<std::size_t>> parts;
  std::vector<std::size_t> unmeasured;
  for (const std::size_t run : runs) (table[run] == none ? unmeasured : parts[table[run]]).push_back(run);
  std::vector<std::vector<std::size_t>> divided;
  for (auto& [number, part] : parts) divided.push_back(std::move(part));
  if (divided.empty()) divided.emplace_back();
  divided.front().insert(divided.front().end(), unmeasured.begin(), unmeasured.end());
  std::ranges::sort(divided.front());
  return divided;
}

/// Two groups may come to one name: options beyond the first few, or other music that they were measured on.
void tell_apart(std::vector<Group>& groups, const std::vector<Run>& runs) {
  std::map<std::string, int> counts;
  for (const Group& group : groups) ++counts[group.name];
  for (Group& group : groups) {
    if (counts[group.name] > 1) group.name += fmt::format(" ({})", runs[group.runs.front()].name);
  }
}

std::string name_of_single(const Run& run) {
  const std::string given = Run::text(run.config, "name");
  return !given.empty() ? given : run.config.empty() ? run.name : run.kind();
}

}  // namespace

Json seed_of(const Run& run) { return run.config.contains("seed") ? run.config["seed"] : Json(nullptr); }

bool is_incidental(const std::string& key) { return std::ranges::find(kIncidental, key) != kIncidental.end(); }

std::string value_text(const Json& value) {
  if (value.is_null()) return "–";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  if (!value.is_array()) return value.dump();
  std::vector<std::string> parts;
  for (const Json& one : value) parts.push_back(value_text(one));
  return fmt::format("[{}]", fmt::join(parts, ", "));
}

Grouping group_runs(const std::vector<Run>& runs, const std::vector<Measured>& measured, const Metric& metric) {
  const std::size_t none = runs.size();
  Grouping result;
  std::vector<std::size_t> table(runs.size(), none), first_of_table;
  for (std::size_t run = 0; run < runs.size(); ++run) {
    if (!measured[run].why_not.empty()) continue;
    for (std::size_t i = 0; i < first_of_table.size() && table[run] == none; ++i) {
      if (!refusal(measured[first_of_table[i]], measured[run], metric)) table[run] = i;
    }
    if (table[run] != none) continue;
    table[run] = first_of_table.size();
    first_of_table.push_back(run);
  }
  result.tables = first_of_table.size();
  result.same_as.resize(runs.size());

  std::vector<Json> essences;
  std::map<std::string, std::vector<std::size_t>> alike;
  std::vector<std::string> order;
  for (std::size_t run = 0; run < runs.size(); ++run) {
    essences.push_back(essence(runs[run]));
    std::vector<std::size_t>& members = alike[essences.back().dump(-1, ' ', false, Json::error_handler_t::replace)];
    if (members.empty()) order.push_back(essences.back().dump(-1, ' ', false, Json::error_handler_t::replace));
    members.push_back(run);
  }
  const std::vector<std::string> keys = runs.empty() ? std::vector<std::string>() : differing_keys(essences);
  const std::vector<std::string> telling = telling_keys(essences, keys);
  for (const std::string& one : order) {
    for (const std::vector<std::size_t>& members : divide(alike[one], table, none)) {
      Group group;
      group.runs = members;
      const Json& own = essences[members.front()];
      for (const std::string& key : keys) group.differs.emplace_back(key, own.contains(key) ? own[key] : Json(nullptr));
      group.name = name_of(own, telling);
      if (group.name.empty()) group.name = name_of_single(runs[members.front()]);
      for (const std::size_t run : members) {
        if (table[run] == none) continue;
        const auto same = std::ranges::find_if(group.measured, [&](std::size_t earlier) {
          return seed_of(runs[earlier]) == seed_of(runs[run]) &&
                 measured[earlier].pieces.above == measured[run].pieces.above;
        });
        if (same != group.measured.end()) {
          result.same_as[run] = *same;
          continue;
        }
        group.measured.push_back(run);
        group.table = table[run];
      }
      result.groups.push_back(std::move(group));
    }
  }
  tell_apart(result.groups, runs);
  return result;
}

std::vector<Difference> differences(const std::vector<Run>& runs) {
  std::vector<Json> configs;
  for (const Run& run : runs) configs.push_back(run.config);
  std::vector<Difference> all;
  if (runs.empty()) return all;
  for (const std::string& key : differing_keys(configs)) {
    if (key == "name" || key == "run") continue;  // what a run is called, which its column says
    Difference difference{key, {}};
    for (const Json& config : configs) difference.values.push_back(config.contains(key) ? config[key] : Json(nullptr));
    all.push_back(std::move(difference));
  }
  return all;
}

}  // namespace etude::report
