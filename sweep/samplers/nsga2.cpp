#include "sweep/samplers/nsga2.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "sweep/pareto.h"
#include "sweep/samplers/generations.h"
#include "sweep/samplers/observations.h"
#include "sweep/samplers/random.h"
#include "sweep/samplers/unit_cube.h"

namespace etude::sweep {
namespace {

constexpr const char* kKind = "nsga2";
constexpr int kAttempts = 10;  ///< at a child that is none of its parents

enum class Crossover { kSbx, kUniform };
enum class Mutation { kPolynomial, kResample };

struct Options {
  std::int64_t population = 50;
  Crossover crossover = Crossover::kSbx;
  double crossover_probability = 0.9;
  double crossover_index = 15;
  Mutation mutation = Mutation::kPolynomial;
  double mutation_probability = 0;
  double mutation_index = 20;
};

/// Trials with what decides a tournament between them.
struct Ranked {
  std::vector<const Trial*> trials;
  std::vector<std::size_t> ranks;
  std::vector<double> distances;

  Ranked(std::vector<const Trial*> all, const std::vector<Direction>& directions) : trials(std::move(all)) {
    std::vector<std::vector<double>> losses;
    for (const Trial* trial : trials) losses.push_back(losses_of(*trial, directions));
    ranks = front_ranks(losses);
    distances.resize(trials.size());
    const std::size_t fronts = trials.empty() ? 0 : *std::max_element(ranks.begin(), ranks.end()) + 1;
    for (std::size_t front = 0; front < fronts; ++front) {
      std::vector<std::size_t> members;
      std::vector<std::vector<double>> theirs;
      for (std::size_t i = 0; i < trials.size(); ++i) {
        if (ranks[i] != front) continue;
        members.push_back(i);
        theirs.push_back(losses[i]);
      }
      const std::vector<double> apart = crowding_distances(theirs);
      for (std::size_t i = 0; i < members.size(); ++i) distances[members[i]] = apart[i];
    }
  }

  /// The crowded comparison: an earlier front, and where there is more room within one.
  bool better(std::size_t a, std::size_t b) const {
    return ranks[a] != ranks[b] ? ranks[a] < ranks[b] : distances[a] > distances[b];
  }

  /// Those that survive, the best first.
  std::vector<const Trial*> best(std::size_t count) const {
    std::vector<std::size_t> order(trials.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return better(a, b); });
    std::vector<const Trial*> chosen;
    for (std::size_t i = 0; i < std::min(count, order.size()); ++i) chosen.push_back(trials[order[i]]);
    return chosen;
  }

  const Trial& tournament(Random& random) const {
    const std::size_t a = random.below(trials.size()), b = random.below(trials.size());
    return *trials[better(b, a) ? b : a];
  }
};

/// Simulated binary crossover within [0, 1], and the polynomial mutation: how children spread around their parents is
/// a polynomial that the nearer bound cuts off (Deb and Agrawal 1995; Deb 2000, "An efficient constraint handling
/// method for genetic algorithms", section 4).
double spread_factor(double u, double room, double index) {
  const double alpha = 2 - std::pow(room, -(index + 1));
  return u <= 1 / alpha ? std::pow(u * alpha, 1 / (index + 1)) : std::pow(1 / (2 - u * alpha), 1 / (index + 1));
}

double crossed(double a, double b, double index, Random& random) {
  const double low = std::min(a, b), high = std::max(a, b), apart = high - low, u = random.uniform();
  const bool lower = random.uniform() < 0.5;
  if (apart < 1e-14) return a;
  const double room = 1 + 2 * (lower ? low : 1 - high) / apart;
  const double half = spread_factor(u, room, index) * apart / 2;
  return std::clamp((low + high) / 2 + (lower ? -half : half), 0.0, 1.0);
}

double mutated(double place, double index, Random& random) {
  const double u = random.uniform(), power = 1 / (index + 1);
  const double delta = u < 0.5 ? std::pow(2 * u + (1 - 2 * u) * std::pow(1 - place, index + 1), power) - 1
                               : 1 - std::pow(2 * (1 - u) + 2 * (u - 0.5) * std::pow(place, index + 1), power);
  return std::clamp(place + delta, 0.0, 1.0);
}

class Nsga2Sampler final : public Sampler {
 public:
  void describe(config::Section& section) override {
    section.integer("population", options_.population, {2, 100'000}, "Trials of one generation.");
    section.choice("crossover", options_.crossover, {{"sbx", Crossover::kSbx}, {"uniform", Crossover::kUniform}},
                   "How numbers of two parents become one: near one of them (simulated binary), or one of them.");
    section.number("crossover_probability", options_.crossover_probability, {0.0, 1.0},
                   "How often a trial has two parents rather than one.");
    section.number("crossover_index", options_.crossover_index, {0.0, 1000.0},
                   "How near to its parents sbx keeps a child; higher is nearer.");
    section.choice("mutation", options_.mutation,
                   {{"polynomial", Mutation::kPolynomial}, {"resample", Mutation::kResample}},
                   "How a number mutates: to somewhere near, or anywhere.");
    section.number("mutation_probability", options_.mutation_probability, {0.0, 1.0},
                   "How often each parameter mutates; 0 for one of all parameters.");
    section.number("mutation_index", options_.mutation_index, {0.0, 1000.0},
                   "How near polynomial mutation stays; higher is nearer.");
  }

  Suggestion suggest(const Question& question) override {
    const std::vector<Generation> generations = generations_of(question.history, kKind);
    const std::size_t population = static_cast<std::size_t>(options_.population);
    const std::vector<Direction>& directions = question.history.directions;
    const auto usable = [&](const Trial* trial) { return !losses_of(*trial, directions).empty(); };

    std::size_t place = generations.empty() ? 0 : generations.size() - 1;
    std::vector<const Trial*> parents, begun_from;
    if (!generations.empty()) {
      const Generation& last = generations.back();
      parents = last.parents;
      std::vector<const Trial*> done;
      std::copy_if(last.trials.begin(), last.trials.end(), std::back_inserter(done), usable);
      if (done.size() >= population) {
        done.insert(done.end(), parents.begin(), parents.end());
        parents = begun_from = Ranked(std::move(done), directions).best(population);
        ++place;
      }
      std::erase_if(parents, [&](const Trial* trial) { return !usable(trial); });
    }
    Suggestion suggestion;
    suggestion.values =
        parents.empty() ? random_values(question) : bred(question, Ranked(std::move(parents), directions));
    suggestion.notes = generation_notes(kKind, place, begun_from);
    return suggestion;
  }

 private:
  Assignment bred(const Question& question, const Ranked& parents) const {
    Random random = question.random();
    Assignment child;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      child = child_of(question, parents, random);
      const auto is_parent = [&](const Trial* trial) {
        return std::all_of(child.begin(), child.end(), [&](const auto& value) {
          const Parameter* parameter = trial->parameter(value.first);
          return parameter != nullptr && parameter->value == value.second;
        });
      };
      if (std::none_of(parents.trials.begin(), parents.trials.end(), is_parent)) break;
    }
    return child;
  }

  Assignment child_of(const Question& question, const Ranked& parents, Random& random) const {
    const Trial& first = parents.tournament(random);
    const Trial& second = random.uniform() < options_.crossover_probability ? parents.tournament(random) : first;
    const double chance = options_.mutation_probability > 0
                              ? options_.mutation_probability
                              : 1 / static_cast<double>(std::max<std::size_t>(first.parameters.size(), 1));
    return fill(question, [&](const SearchSpace::Entry& entry) {
      const Distribution& distribution = *entry.distribution;
      const auto a = value_of(first, entry), b = value_of(second, entry);
      // Active in neither parent: the value that decides over it has mutated or is crossed.
      if (!a && !b) return from_unit(distribution, random.uniform());
      const double inherited = heir(distribution, a ? *a : *b, b ? *b : *a, random);
      if (random.uniform() >= chance) return inherited;
      if (distribution.is_categorical() || options_.mutation == Mutation::kResample) {
        return from_unit(distribution, random.uniform());
      }
      return from_unit(distribution, mutated(to_unit(distribution, inherited), options_.mutation_index, random));
    });
  }

  double heir(const Distribution& distribution, double a, double b, Random& random) const {
    if (a == b) return a;
    const bool crosses = options_.crossover == Crossover::kSbx && !distribution.is_categorical();
    if (!crosses || random.uniform() < 0.5) return random.uniform() < 0.5 ? a : b;
    return from_unit(distribution,
                     crossed(to_unit(distribution, a), to_unit(distribution, b), options_.crossover_index, random));
  }

  Options options_;
};

}  // namespace

std::unique_ptr<Sampler> make_nsga2_sampler() { return std::make_unique<Nsga2Sampler>(); }

}  // namespace etude::sweep
