#include "sweep/samplers/observations.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

namespace etude::sweep {
namespace {

constexpr double kWorst = std::numeric_limits<double>::infinity();

double as_known_loss(double value, Direction direction) {
  return std::isnan(value) ? kWorst : as_loss(value, direction);
}

/// Less is better.
struct Rank {
  int kind;       ///< complete, begun, or without a word
  double behind;  ///< the step it stopped at, negative
  double loss;
  std::int64_t number;
  auto key() const { return std::tie(kind, behind, loss, number); }
};

Rank rank_of(const Trial& trial, Direction direction) {
  if (trial.state == TrialState::kComplete) return {0, 0, loss_of(trial, direction), trial.number};
  if (trial.reports.empty()) return {2, 0, 0, trial.number};
  const Report& last = trial.reports.back();
  return {1, -static_cast<double>(last.step), as_known_loss(last.value, direction), trial.number};
}

}  // namespace

std::optional<double> value_of(const Trial& trial, const SearchSpace::Entry& entry, std::size_t likely) {
  const bool there = likely < trial.parameters.size() && trial.parameters[likely].name == entry.name;
  const Parameter* parameter = there ? &trial.parameters[likely] : trial.parameter(entry.name);
  if (parameter == nullptr || parameter->distribution == nullptr) return std::nullopt;
  const Distribution &theirs = *parameter->distribution, &ours = *entry.distribution;
  if (&theirs != &ours && (theirs.is_categorical() || ours.is_categorical()) && theirs != ours) {
    return theirs.contains(parameter->value) ? ours.internal(parameter->external()) : std::nullopt;
  }
  return ours.contains(parameter->value) ? std::optional(parameter->value) : std::nullopt;
}

double loss_of(const Trial& trial, Direction direction) {
  return trial.values.empty() ? kWorst : as_known_loss(trial.values.front(), direction);
}

Observations observe(const History& history, std::int64_t asking) {
  const Direction direction = history.directions.empty() ? Direction::kMinimize : history.directions.front();
  std::vector<std::pair<Rank, const Trial*>> finished;
  Observations seen;
  for (const Trial& trial : history.trials) {
    if (trial.number == asking) continue;
    const bool counts = trial.state == TrialState::kComplete || trial.state == TrialState::kPruned || trial.paused();
    if (counts) {
      finished.emplace_back(rank_of(trial, direction), &trial);
    } else if (trial.state == TrialState::kRunning) {
      seen.running.push_back(&trial);
    }
  }
  std::sort(finished.begin(), finished.end(),
            [](const auto& a, const auto& b) { return a.first.key() < b.first.key(); });
  for (const auto& [rank, trial] : finished) seen.ranked.push_back(trial);
  return seen;
}

std::vector<std::vector<const SearchSpace::Entry*>> groups(const SearchSpace& space) {
  std::vector<std::vector<const SearchSpace::Entry*>> all;
  for (const SearchSpace::Entry& entry : space.entries) {
    const auto same =
        std::find_if(all.begin(), all.end(), [&](const auto& group) { return group.front()->when == entry.when; });
    if (same == all.end()) {
      all.push_back({&entry});
    } else {
      same->push_back(&entry);
    }
  }
  return all;
}

}  // namespace etude::sweep
