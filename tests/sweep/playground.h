#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "framework/config/document.h"
#include "sweep/sampler.h"

namespace etude::sweep {

inline std::shared_ptr<const Distribution> shared(Distribution distribution) {
  return std::make_shared<const Distribution>(std::move(distribution));
}

/// x0, x1, … of one distribution.
inline SearchSpace cube(std::size_t dimensions, const Distribution& distribution) {
  SearchSpace space;
  for (std::size_t i = 0; i < dimensions; ++i) {
    space.entries.push_back({"x" + std::to_string(i), shared(distribution), {}});
  }
  return space;
}

/// The sampler of that name with these keys set, as a sweep file would make it.
inline std::unique_ptr<Sampler> make_sampler(const std::string& kind, const std::string& yaml = "{}") {
  for (const SamplerKind& one : sampler_kinds()) {
    if (one.name != kind) continue;
    auto sampler = one.make();
    config::Section section;
    sampler->describe(section);
    config::load_text(section, yaml, "test");
    return sampler;
  }
  throw Error("no sampler " + kind);
}

/// A study without storage, controller or training.
struct Playground {
  SearchSpace space;
  std::vector<Direction> directions{Direction::kMinimize};
  std::uint64_t seed = 1;
  std::vector<Trial> trials{};

  Suggestion ask(Sampler& sampler, const Assignment& fixed = {}) {
    const History history{directions, trials};
    const auto number = static_cast<std::int64_t>(trials.size());
    return sampler.suggest({space, history, number, fixed, seed});
  }

  /// Begins a trial, which then runs.
  Trial& begin(const Suggestion& suggestion) {
    Trial trial;
    trial.number = static_cast<std::int64_t>(trials.size());
    trial.id = trial.number;
    trial.parameters = space.parameters(suggestion.values);
    trial.system_attributes = suggestion.notes;
    if (suggestion.parent) trial.system_attributes[kParent] = *suggestion.parent;
    trials.push_back(std::move(trial));
    return trials.back();
  }

  static void end(Trial& trial, std::vector<double> values, TrialState state = TrialState::kComplete) {
    trial.state = state;
    trial.values = std::move(values);
  }

  /// One after the other.
  void run(Sampler& sampler, std::size_t count,
           const std::function<std::vector<double>(const Assignment&)>& objective) {
    for (std::size_t i = 0; i < count; ++i) {
      const Suggestion suggestion = ask(sampler);
      end(begin(suggestion), objective(suggestion.values));
    }
  }

  double best() const {
    double least = trials.front().values.front();
    for (const Trial& trial : trials) {
      if (trial.state == TrialState::kComplete) least = std::min(least, trial.values.front());
    }
    return least;
  }
};

}  // namespace etude::sweep
