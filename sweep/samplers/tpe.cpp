#include "sweep/samplers/tpe.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "framework/config/error.h"
#include "sweep/samplers/observations.h"
#include "sweep/samplers/random.h"
#include "sweep/samplers/tpe_density.h"
#include "sweep/samplers/unit_cube.h"

namespace etude::sweep {
namespace {

using Group = std::vector<const SearchSpace::Entry*>;

enum class Weights { kRank, kUniform };

struct TpeOptions {
  std::int64_t startup = 10;
  std::int64_t candidates = 24;
  double gamma = 0.15;
  std::int64_t most_good = 25;
  double prior_weight = 1;
  Weights weights = Weights::kRank;
  bool multivariate = true;
  bool group = true;
  bool constant_liar = true;
};

/// Where trials have these parameters: mostly all at one place.
std::vector<std::size_t> likely_places(const Group& group, const std::vector<const Trial*>& trials) {
  std::vector<std::size_t> where(group.size(), 0);
  for (std::size_t j = 0; j < group.size(); ++j) {
    for (const Trial* trial : trials) {
      const Parameter* found = trial->parameter(group[j]->name);
      if (found == nullptr) continue;
      where[j] = static_cast<std::size_t>(found - trial->parameters.data());
      break;
    }
  }
  return where;
}

/// Appends the points of those trials that have all parameters of the group.
void append(Cloud& cloud, const Group& group, const std::vector<const Trial*>& trials) {
  std::vector<Scale> scales;
  for (const SearchSpace::Entry* entry : group) scales.emplace_back(*entry->distribution);
  const std::vector<std::size_t> where = likely_places(group, trials);
  cloud.along.resize(group.size());
  Places point(group.size());
  for (const Trial* trial : trials) {
    bool whole = true;
    for (std::size_t j = 0; j < group.size() && whole; ++j) {
      const SearchSpace::Entry& entry = *group[j];
      const auto value = value_of(*trial, entry, where[j]);
      whole = value.has_value();
      if (!whole) break;
      point[j] = entry.distribution->is_categorical() ? *value : to_unit(*entry.distribution, scales[j], *value);
    }
    if (!whole) continue;
    for (std::size_t j = 0; j < group.size(); ++j) cloud.along[j].push_back(point[j]);
    cloud.weights.push_back(1);
  }
}

class TpeSampler final : public Sampler {
 public:
  void describe(config::Section& section) override {
    section.integer("startup", options_.startup, {0, 1'000'000},
                    "Finished trials before it begins to learn; until then it draws at random.");
    section.integer("candidates", options_.candidates, {1, 1'000'000}, "Points of which the most promising is taken.");
    section.number("gamma", options_.gamma, {0.001, 1.0}, "The share of trials that counts as good.");
    section.integer("most_good", options_.most_good, {1, 1'000'000}, "As many at most.");
    section.number("prior_weight", options_.prior_weight, {0.001, 1e6},
                   "Weight of the whole range beside that of one trial; more explores more.");
    section.choice("weights", options_.weights, {{"rank", Weights::kRank}, {"uniform", Weights::kUniform}},
                   "Whether the better of the good trials weigh more.");
    section.boolean("multivariate", options_.multivariate,
                    "Whether parameters are taken together, so that it sees what goes with what.");
    section.boolean("group", options_.group,
                    "Whether that holds for conditional parameters too, with all others of their branch.");
    section.boolean("constant_liar", options_.constant_liar,
                    "Whether trials that run count as bad, so that parallel ones are not alike.");
  }

  void check(const SearchSpace&, const std::vector<Direction>& directions) const override {
    if (directions.size() > 1) {
      throw UsageError(fmt::format("sampler tpe takes one objective, and there are {}; for several, use kind: nsga2",
                                   directions.size()));
    }
  }

  Suggestion suggest(const Question& question) override {
    const Observations seen = observe(question.history, question.number);
    if (seen.ranked.size() < static_cast<std::size_t>(options_.startup)) return {random_values(question), {}, {}};
    Random random = question.random();
    Assignment values;
    const bool together = options_.multivariate && options_.group;
    for (const Group& part : together ? deciding(question.space) : parts(question.space)) {
      if (question.space.is_active(*part.front(), values)) search(question, part, seen, random, values);
    }
    if (together) search_branch(question, seen, random, values);
    return {values, {}, {}};
  }

 private:
  /// What is searched together, deciding parameters first.
  std::vector<Group> parts(const SearchSpace& space) const {
    std::vector<Group> all;
    for (const Group& group : groups(space)) {
      if (options_.multivariate && group.front()->when.empty()) {
        all.push_back(group);
      } else {
        for (const SearchSpace::Entry* entry : group) all.push_back({entry});
      }
    }
    return all;
  }

  /// Of each group those that others depend on.
  static std::vector<Group> deciding(const SearchSpace& space) {
    std::vector<Group> all;
    for (const Group& group : groups(space)) {
      Group part;
      std::copy_if(group.begin(), group.end(), std::back_inserter(part), [&](const SearchSpace::Entry* entry) {
        return std::any_of(space.entries.begin(), space.entries.end(),
                           [&](const SearchSpace::Entry& other) { return other.when.contains(entry->name); });
      });
      if (!part.empty()) all.push_back(std::move(part));
    }
    return all;
  }

  /// Everything else, once it is decided what there is: learnt from the trials of the same branch, since what is good
  /// in one may be bad in another; as long as these are few, from all that have the parameters, group by group.
  void search_branch(const Question& question, const Observations& seen, Random& random, Assignment& values) const {
    const Assignment branch = values;
    Group rest;
    for (const SearchSpace::Entry* entry : question.space.active(branch)) {
      if (!branch.contains(entry->name)) rest.push_back(entry);
    }
    const auto belongs = [&](const Trial* trial) {
      return std::all_of(branch.begin(), branch.end(), [&](const auto& decided) {
        return value_of(*trial, *question.space.find(decided.first)) == decided.second;
      });
    };
    Observations own;
    std::copy_if(seen.ranked.begin(), seen.ranked.end(), std::back_inserter(own.ranked), belongs);
    std::copy_if(seen.running.begin(), seen.running.end(), std::back_inserter(own.running), belongs);
    if (rest.empty()) return;
    if (own.ranked.size() >= static_cast<std::size_t>(options_.startup)) {
      search(question, rest, own, random, values);
      return;
    }
    for (const Group& group : groups(question.space)) {
      Group part;
      std::copy_if(group.begin(), group.end(), std::back_inserter(part), [&](const SearchSpace::Entry* entry) {
        return std::find(rest.begin(), rest.end(), entry) != rest.end();
      });
      if (!part.empty()) search(question, part, seen, random, values);
    }
  }

  std::pair<Cloud, Cloud> split(const Group& group, const Observations& seen) const {
    Cloud all;
    append(all, group, seen.ranked);
    const std::size_t known = all.weights.size();
    const auto share = static_cast<std::int64_t>(std::ceil(options_.gamma * static_cast<double>(known)));
    const auto count = static_cast<std::size_t>(std::min(share, options_.most_good));
    Cloud good, bad;
    good.along.resize(group.size());
    bad.along.resize(group.size());
    for (std::size_t j = 0; j < group.size() && known > 0; ++j) {
      const auto border = all.along[j].begin() + static_cast<std::ptrdiff_t>(count);
      good.along[j].assign(all.along[j].begin(), border);
      bad.along[j].assign(border, all.along[j].end());
    }
    for (std::size_t rank = 1; rank <= count; ++rank) {
      const bool ranked = options_.weights == Weights::kRank;
      good.weights.push_back(ranked ? std::log((static_cast<double>(count) + 0.5) / static_cast<double>(rank)) : 1);
    }
    bad.weights.assign(known - count, 1);
    if (options_.constant_liar) append(bad, group, seen.running);
    return {std::move(good), std::move(bad)};
  }

  void search(const Question& question, const Group& group, const Observations& seen, Random& random,
              Assignment& values) const {
    std::vector<const Distribution*> parameters;
    for (const SearchSpace::Entry* entry : group) parameters.push_back(entry->distribution.get());
    auto [good, bad] = split(group, seen);
    const TpeDensity likely(parameters, std::move(good), {options_.prior_weight, 2});
    const TpeDensity unlikely(parameters, std::move(bad), {options_.prior_weight, 1});
    Places best;
    double greatest = -std::numeric_limits<double>::infinity();
    for (std::int64_t i = 0; i < options_.candidates; ++i) {
      Places point = likely.draw(random);
      for (std::size_t j = 0; j < group.size(); ++j) {
        const auto fixed = question.fixed.find(group[j]->name);
        if (fixed == question.fixed.end()) continue;
        const bool choice = parameters[j]->is_categorical();
        point[j] = choice ? fixed->second : to_unit(*parameters[j], fixed->second);
      }
      const double promise = likely.log_density(point) - unlikely.log_density(point);
      if (best.empty() || promise > greatest) {
        greatest = promise;
        best = std::move(point);
      }
    }
    for (std::size_t j = 0; j < group.size(); ++j) {
      const auto fixed = question.fixed.find(group[j]->name);
      const double place = parameters[j]->is_categorical() ? best[j] : from_unit(*parameters[j], best[j]);
      values[group[j]->name] = fixed != question.fixed.end() ? fixed->second : place;
    }
  }

  TpeOptions options_;
};

}  // namespace

std::unique_ptr<Sampler> make_tpe_sampler() { return std::make_unique<TpeSampler>(); }

}  // namespace etude::sweep
