#include "sweep/experiment_check.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/config/scope.h"
#include "framework/config/values.h"

namespace etude::sweep {
namespace {

using config::Node;
using config::Option;
using config::Section;

/// An option of that key, and the alternatives that must be chosen for it to be there: (model.kind, gpt2).
struct Home {
  const Option* option = nullptr;
  std::vector<std::pair<const Section::Variant*, std::pair<std::string, std::string>>> needs;
};

/// Every option that a key may mean, one for each alternative that has it.
void find_homes(const Section& section, const std::string& path, const std::string& key, const Home& above,
                std::vector<Home>& homes) {
  for (const Option& option : section.options()) {
    if (config::joined(path, option.name) != key) continue;
    homes.push_back(above);
    homes.back().option = &option;
  }
  for (const auto& nested : section.sections()) {
    const std::string inner = config::joined(path, nested->name());
    if (key.starts_with(inner + ".")) find_homes(*nested, inner, key, above, homes);
  }
  const Section::Variant* variant = section.variant();
  if (variant == nullptr) return;
  for (const auto& [name, alternative] : variant->alternatives) {
    Home within = above;
    within.needs.push_back({variant, {config::joined(path, variant->key), name}});
    find_homes(*alternative, path, key, within, homes);
  }
}

class Checker {
 public:
  Checker(const Section& options, const SearchSpace& space, const std::map<std::string, Node>& fixed,
          const Critic& critic)
      : options_(options), space_(space), fixed_(fixed), critic_(critic), keys_(config::all_keys(options)) {}

  void check_parameter(const SearchSpace::Entry& entry, const config::Place& place) {
    const std::vector<Home> homes = homes_of(entry.name, "parameters." + entry.name, conditions(space_, entry), place);
    std::set<std::string> said;
    for (const Home& home : homes) {
      const std::string wrong = refused(*home.option, *entry.distribution);
      if (!wrong.empty() && said.insert(wrong).second) {
        critic_.complain(place, fmt::format("'parameters.{}': {}", entry.name, wrong));
      }
    }
  }

  void check_fixed(const std::string& name, const Node& value) {
    std::set<std::string> said;
    for (const Home& home : homes_of(name, "set." + name, {}, value.place)) {
      const std::string wrong = tried(*home.option, value);
      if (!wrong.empty() && said.insert(wrong).second) {
        critic_.complain(value.place, fmt::format("'set.{}': {}", name, wrong));
      }
    }
  }

 private:
  using Conditions = std::map<std::string, std::vector<double>>;

  /// The options that the name may mean in some trial. Complains where there are none, or trials without.
  std::vector<Home> homes_of(const std::string& name, const std::string& key, const Conditions& when,
                             const config::Place& place) {
    std::vector<Home> homes;
    find_homes(options_, "", name, {}, homes);
    if (homes.empty()) {
      critic_.complain(place, fmt::format("'{}': the experiment has no option '{}'{}", key, name, meant(name)));
      return {};
    }
    std::vector<Home> reachable;
    std::map<std::string, std::set<std::string>> having;  // alternatives that have it, by the key that chooses
    for (const Home& home : homes) {
      bool possible = true;
      for (const auto& [variant, need] : home.needs) {
        having[need.first].insert(need.second);
        possible = possible && chosen(*variant, need.first, when).contains(need.second);
      }
      if (possible) reachable.push_back(home);
    }
    for (const auto& [chooser, alternatives] : having)
      complain_of_others(homes, chooser, alternatives, when, key, place);
    return reachable;
  }

  /// What the key that chooses an alternative may be, under these conditions.
  std::set<std::string> chosen(const Section::Variant& variant, const std::string& key, const Conditions& when) const {
    std::set<std::string> words;
    const auto add = [&](const Json& value) {
      words.insert(value.is_string() ? value.get<std::string>() : value.dump());
    };
    const SearchSpace::Entry* entry = space_.find(key);
    if (entry != nullptr && entry->distribution->is_categorical()) {
      if (const auto allowed = when.find(key); allowed != when.end()) {
        for (const double value : allowed->second) add(entry->distribution->external(value));
        return words;
      }
      for (const Json& choice : entry->distribution->choices) add(choice);
      if (entry->when.empty()) return words;
    }
    const auto set = fixed_.find(key);
    words.insert(set != fixed_.end() ? set->second.scalar : *variant.chosen);
    return words;
  }

  void complain_of_others(const std::vector<Home>& homes, const std::string& chooser,
                          const std::set<std::string>& alternatives, const Conditions& when, const std::string& key,
                          const config::Place& place) {
    const Section::Variant* variant = nullptr;
    for (const Home& home : homes) {
      const bool needs_it = std::any_of(home.needs.begin(), home.needs.end(),
                                        [&](const auto& need) { return need.second.first == chooser; });
      if (!needs_it) return;  // it is there whatever is chosen
      for (const auto& [candidate, need] : home.needs) {
        if (need.first == chooser) variant = candidate;
      }
    }
    for (const std::string& word : chosen(*variant, chooser, when)) {
      if (alternatives.contains(word)) continue;
      const std::vector<std::string> names(alternatives.begin(), alternatives.end());
      const std::string condition = names.size() == 1 ? names[0] : fmt::format("[{}]", fmt::join(names, ", "));
      critic_.complain(place, fmt::format("'{}': only {} {} has this option, but it may be {}; {}", key, chooser,
                                          config::enumerate(names), word, way_out(chooser, condition, key)));
    }
  }

  std::string way_out(const std::string& chooser, const std::string& condition, const std::string& key) const {
    if (space_.find(chooser) == nullptr) return fmt::format("choose it under 'set': {{{}: …}}", chooser);
    if (key.starts_with("parameters.")) return fmt::format("add when: {{{}: {}}}", chooser, condition);
    return fmt::format("make it a parameter: {{values: [VALUE], when: {{{}: {}}}}}", chooser, condition);
  }

  std::string meant(const std::string& name) const {
    std::vector<std::string> near;
    for (const std::string& known : keys_) {
      if (known.ends_with("." + name)) near.push_back(known);
    }
    if (near.empty()) {
      if (const std::string nearest = config::nearest(name, keys_); !nearest.empty()) near.push_back(nearest);
    }
    constexpr std::size_t kMost = 3;
    if (near.empty() || near.size() > kMost) return "; 'etude explain' lists all";
    return fmt::format("; did you mean '{}'?", fmt::join(near, "' or '"));
  }

  /// What the option has against a value of the distribution; empty for nothing.
  static std::string refused(const Option& option, const Distribution& distribution) {
    if (!distribution.is_categorical()) {
      const bool whole = distribution.step && *distribution.step == std::floor(*distribution.step) &&
                         distribution.low == std::floor(distribution.low);
      if (option.type == "integer" && !whole) return "the option takes integers; write type: int";
      std::string wrong = set(option, distribution.external(distribution.low));
      if (wrong.empty()) wrong = set(option, distribution.external(distribution.high));
      return wrong;
    }
    for (const Json& choice : distribution.choices) {
      if (std::string wrong = set(option, choice); !wrong.empty()) return wrong;
    }
    return "";
  }

  static std::string set(const Option& option, const Json& value) {
    const std::string text = assignment("", value).substr(1);
    return tried(option, config::parse_tree(text, 0));
  }

  /// Sets the value and takes it back, since others may depend on what is chosen.
  static std::string tried(const Option& option, const Node& value) {
    const std::string before = option.get();
    std::string wrong = option.set(value.value());
    option.set(config::parse_tree(before, 0).value());
    return wrong;
  }

  const Section& options_;
  const SearchSpace& space_;
  const std::map<std::string, Node>& fixed_;
  const Critic& critic_;
  std::vector<std::string> keys_;
};

}  // namespace

void check_against_experiment(const Section& options, const SearchSpace& space,
                              const std::map<std::string, Node>& fixed,
                              const std::map<std::string, config::Place>& places, const Critic& critic) {
  Checker checker(options, space, fixed, critic);
  for (const SearchSpace::Entry& entry : space.entries) checker.check_parameter(entry, places.at(entry.name));
  for (const auto& [name, value] : fixed) checker.check_fixed(name, value);
}

std::optional<std::int64_t> steps_of_trials(const Section& options, const SearchSpace& space,
                                            const std::map<std::string, Node>& fixed) {
  const std::string key = "train.steps";
  if (space.find(key) != nullptr) return std::nullopt;
  std::vector<Home> homes;
  find_homes(options, "", key, {}, homes);
  if (homes.empty()) return std::nullopt;
  const auto set = fixed.find(key);
  const std::string text = set != fixed.end() ? set->second.scalar : homes.front().option->get();
  std::int64_t steps = 0;
  return config::parse_integer(text, steps) == config::Parse::kGood ? std::optional(steps) : std::nullopt;
}

}  // namespace etude::sweep
