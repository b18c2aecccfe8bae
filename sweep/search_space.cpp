#include "sweep/search_space.h"

#include <algorithm>

namespace etude::sweep {

const SearchSpace::Entry* SearchSpace::find(const std::string& name) const {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.name == name; });
  return found == entries.end() ? nullptr : &*found;
}

bool SearchSpace::is_active(const Entry& entry, const Assignment& values) const {
  return std::all_of(entry.when.begin(), entry.when.end(), [&](const auto& condition) {
    const auto& [name, allowed] = condition;
    const auto value = values.find(name);
    const Entry* decides = find(name);
    return value != values.end() && std::find(allowed.begin(), allowed.end(), value->second) != allowed.end() &&
           decides != nullptr && is_active(*decides, values);
  });
}

std::vector<const SearchSpace::Entry*> SearchSpace::active(const Assignment& values) const {
  std::vector<const Entry*> all;
  for (const Entry& entry : entries) {
    if (is_active(entry, values)) all.push_back(&entry);
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
