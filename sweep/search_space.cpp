#include "sweep/search_space.h"

#include <algorithm>

namespace etude::sweep {

const SearchSpace::Entry* SearchSpace::find(const std::string& name) const {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.name == name; });
  return found == entries.end() ? nullptr : &*found;
}

bool SearchSpace::is_active(const Entry& entry, const Assignment& values) const {
  if (entry.when.empty()) return true;
  const std::vector<const Entry*> all = active(values);
  return std::any_of(all.begin(), all.end(), [&](const Entry* one) { return one->name == entry.name; });
}

std::vector<const SearchSpace::Entry*> SearchSpace::active(const Assignment& values) const {
  // In one pass, since conditions look back: following each of them would take 2^n steps where all are entangled.
  std::vector<const Entry*> all;
  const auto is_met = [&](const auto& condition) {
    const auto& [name, allowed] = condition;
    const auto value = values.find(name);
    return value != values.end() && std::find(allowed.begin(), allowed.end(), value->second) != allowed.end() &&
           std::any_of(all.begin(), all.end(), [&, &wanted = name](const Entry* one) { return one->name == wanted; });
  };
  for (const Entry& entry : entries) {
    if (std::all_of(entry.when.begin(), entry.when.end(), is_met)) all.push_back(&entry);
  }
  return all;
}

std::vector<Parameter> SearchSpace::parameters(const Assignment& values) const {
  std::vector<Parameter> all;
  for (const Entry* entry : active(values)) {
    if (const auto value = values.find(entry->name); value != values.end()) {
      all.push_back({entry->name, value->second, entry->distribution});
    }
  }
  std::sort(all.begin(), all.end(), [](const Parameter& a, const Parameter& b) { return a.name < b.name; });
  return all;
}

}  // namespace etude::sweep
