#include "sweep/importance.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "sweep/forest.h"
#include "sweep/samplers/observations.h"
#include "sweep/samplers/unit_cube.h"

namespace etude::sweep {
namespace {

constexpr std::size_t kTrees = 64;
constexpr std::size_t kMostTrials = 2000;
constexpr std::uint64_t kDraw = 0x494d504f;

/// A parameter with the trials that have it, as places among those looked at.
struct Known {
  SearchSpace::Entry entry;
  std::vector<std::size_t> trials;
};

std::vector<const Trial*> looked_at(const History& history, std::size_t objective, std::uint64_t seed) {
  std::vector<const Trial*> all;
  for (const Trial& trial : history.trials) {
    const bool counts = trial.state == TrialState::kComplete && objective < trial.values.size() &&
                        std::isfinite(trial.values[objective]);
    if (counts) all.push_back(&trial);
  }
  Random random(seed, kDraw);
  for (std::size_t i = 0; all.size() > kMostTrials && i < kMostTrials; ++i) {
    std::swap(all[i], all[i + random.below(all.size() - i)]);
  }
  all.resize(std::min(all.size(), kMostTrials));
  return all;
}

/// All parameters, as the newest trial has them.
std::vector<Known> known_to(const std::vector<const Trial*>& trials) {
  std::map<std::string, std::pair<std::int64_t, std::shared_ptr<const Distribution>>> newest;
  for (const Trial* trial : trials) {
    for (const Parameter& parameter : trial->parameters) {
      auto& known = newest[parameter.name];
      if (!known.second || trial->number > known.first) known = {trial->number, parameter.distribution};
    }
  }
  std::vector<Known> all;
  for (const auto& [name, found] : newest) {
    Known known{{name, found.second, {}}, {}};
    for (std::size_t i = 0; i < trials.size(); ++i) {
      if (value_of(*trials[i], known.entry)) known.trials.push_back(i);
    }
    all.push_back(std::move(known));
  }
  return all;
}

/// Around 0 and up to 1: shares do not depend on it, rounding does.
void standardize(std::vector<double>& values) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const double middle = *least / 2 + *most / 2, reach = std::max(*most / 2 - *least / 2, 1e-300);
  for (double& value : values) value = (value / 2 - middle / 2) / reach;
}

/// The shares of the axes [0, judged), each a mean and a deviation over the trees.
std::vector<std::pair<double, double>> shares(const Samples& samples, std::size_t judged, std::uint64_t seed) {
  std::vector<std::vector<double>> fractions(judged);
  for (std::size_t tree = 0; tree < kTrees; ++tree) {
    Random random(seed, tree);
    const RegressionTree grown(samples, random);
    const double variance = grown.variance();
    if (!(variance > 0)) continue;  // a bootstrap sample of one value
    for (std::size_t axis = 0; axis < judged; ++axis) {
      fractions[axis].push_back(grown.marginal_variance(axis) / variance);
    }
  }
  std::vector<std::pair<double, double>> all;
  for (const std::vector<double>& one : fractions) {
    const double count = static_cast<double>(std::max<std::size_t>(one.size(), 1));
    double mean = 0, squares = 0;
    for (const double fraction : one) mean += fraction / count;
    for (const double fraction : one) squares += (fraction - mean) * (fraction - mean) / count;
    all.emplace_back(mean, std::sqrt(squares));
  }
  return all;
}

Samples::Axis axis_of(const SearchSpace::Entry& entry, const std::vector<const Trial*>& trials,
                      const std::vector<std::size_t>& places) {
  const Distribution& distribution = *entry.distribution;
  Samples::Axis axis;
  if (distribution.is_categorical()) axis.choices = distribution.choices.size();
  for (const std::size_t place : places) {
    const double value = *value_of(*trials[place], entry);
    axis.at.push_back(distribution.is_categorical() ? value : to_unit(distribution, value));
  }
  return axis;
}

}  // namespace

Importances importances(const History& history, std::size_t objective, std::uint64_t seed) {
  const std::vector<const Trial*> trials = looked_at(history, objective, seed);
  const std::vector<Known> known = known_to(trials);
  // Those that the same trials have share a forest.
  std::map<std::vector<std::size_t>, std::vector<const Known*>> together;
  for (const Known& one : known) together[one.trials].push_back(&one);

  Importances all{{}, trials.size()};
  for (const auto& [places, members] : together) {
    std::vector<const Known*> judged, beside;
    for (const Known& one : known) {
      if (one.entry.distribution->single()) continue;
      if (one.trials == places) {
        judged.push_back(&one);
      } else if (std::includes(one.trials.begin(), one.trials.end(), places.begin(), places.end())) {
        beside.push_back(&one);
      }
    }
    Samples samples;
    for (const std::size_t place : places) samples.values.push_back(trials[place]->values[objective]);
    standardize(samples.values);
    for (const auto* group : {&judged, &beside}) {
      for (const Known* one : *group) samples.axes.push_back(axis_of(one->entry, trials, places));
    }
    const bool enough = places.size() > 1 && !judged.empty();
    const auto theirs = enough ? shares(samples, judged.size(), seed) : std::vector<std::pair<double, double>>{};
    for (const Known* one : members) {
      const auto found = std::find(judged.begin(), judged.end(), one) - judged.begin();
      const auto place = static_cast<std::size_t>(found);
      const auto [share, deviation] = place < theirs.size() ? theirs[place] : std::pair{0.0, 0.0};
      all.parameters.push_back({one->entry.name, share, deviation});
    }
  }
  std::sort(all.parameters.begin(), all.parameters.end(), [](const Importance& a, const Importance& b) {
    return a.importance != b.importance ? a.importance > b.importance : a.name < b.name;
  });
  return all;
}

}  // namespace etude::sweep
