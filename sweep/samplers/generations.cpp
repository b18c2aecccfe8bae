#include "sweep/samplers/generations.h"

#include <algorithm>
#include <utility>

namespace etude::sweep {
namespace {

std::string generation_key(const std::string& kind) { return "etude:" + kind + ":generation"; }
std::string parents_key(const std::string& kind) { return "etude:" + kind + ":parents"; }

/// The trial of that number; trials lie by number, with gaps at most where others deleted some.
const Trial* numbered(const std::vector<Trial>& trials, std::int64_t number) {
  const auto found = std::lower_bound(trials.begin(), trials.end(), number,
                                      [](const Trial& trial, std::int64_t one) { return trial.number < one; });
  return found != trials.end() && found->number == number ? &*found : nullptr;
}

}  // namespace

std::vector<Generation> generations_of(const History& history, const std::string& kind) {
  const std::string generation = generation_key(kind), parents = parents_key(kind);
  // A trial that was enqueued early may belong to a late generation: numbers say nothing about their order.
  std::map<std::size_t, Generation> found;
  for (const Trial& trial : history.trials) {
    const auto note = trial.system_attributes.find(generation);
    if (note == trial.system_attributes.end() || !note->second.is_number_unsigned()) continue;
    Generation& its = found[note->second.get<std::size_t>()];
    its.trials.push_back(&trial);
    const auto made_from = trial.system_attributes.find(parents);
    if (made_from == trial.system_attributes.end() || !its.parents.empty()) continue;
    for (const Json& number : made_from->second) {
      const Trial* parent = number.is_number_integer() ? numbered(history.trials, number.get<std::int64_t>()) : nullptr;
      if (parent != nullptr) its.parents.push_back(parent);
    }
  }
  std::vector<Generation> all;
  for (auto& [place, generation_there] : found) {
    if (place != all.size()) break;
    all.push_back(std::move(generation_there));
  }
  return all;
}

std::map<std::string, Json> generation_notes(const std::string& kind, std::size_t generation,
                                             const std::vector<const Trial*>& parents) {
  std::map<std::string, Json> notes{{generation_key(kind), generation}};
  if (!parents.empty()) {
    Json numbers = Json::array();
    for (const Trial* parent : parents) numbers.push_back(parent->number);
    notes[parents_key(kind)] = numbers;
  }
  return notes;
}

}  // namespace etude::sweep
