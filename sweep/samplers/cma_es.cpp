#include "sweep/samplers/cma_es.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>
#include <utility>

#include "framework/config/error.h"
#include "sweep/samplers/evolution_strategy.h"
#include "sweep/samplers/generations.h"
#include "sweep/samplers/observations.h"
#include "sweep/samplers/random.h"
#include "sweep/samplers/unit_cube.h"

namespace etude::sweep {
namespace {

using Eigen::VectorXd;

constexpr const char* kKind = "cma_es";
constexpr double kFirstSigma = 1.0 / 6;  ///< of the unit cube
constexpr std::uint64_t kRestartStream = 0x52455354;

enum class Restart { kNone, kIpop, kBipop };

struct Options {
  std::int64_t population = 0;
  double sigma = kFirstSigma;
  Restart restart = Restart::kIpop;
};

using Searched = std::vector<const SearchSpace::Entry*>;

Searched searched_by(const SearchSpace& space) {
  Searched all;
  for (const SearchSpace::Entry& entry : space.entries) {
    const Distribution& distribution = *entry.distribution;
    if (entry.when.empty() && !distribution.is_categorical() && !distribution.single()) all.push_back(&entry);
  }
  return all;
}

/// What a generation told: its points, the best first.
struct Told {
  std::vector<VectorXd> points;
  std::vector<double> losses;
};

/// A strategy that begins anew, with another population, when it has nothing to gain any more (Auger and Hansen 2005:
/// IPOP; Hansen 2009: BIPOP).
class RestartingStrategy {
 public:
  RestartingStrategy(const Options& options, std::uint64_t seed, VectorXd cells)
      : options_(options),
        random_(seed, kRestartStream),
        cells_(std::move(cells)),
        first_(options.population > 0 ? static_cast<std::size_t>(options.population)
                                      : EvolutionStrategy::default_population(static_cast<std::size_t>(cells_.size()))),
        large_(first_),
        strategy_(VectorXd::Constant(cells_.size(), 0.5), options.sigma, first_, cells_) {}

  const EvolutionStrategy& now() const { return strategy_; }

  void tell(const Told& told) {
    strategy_.tell(told.points, told.losses);
    (small_runs_ ? spent_small_ : spent_large_) += strategy_.population();
    if (options_.restart != Restart::kNone && strategy_.converged()) begin_anew();
  }

 private:
  void begin_anew() {
    VectorXd mean(cells_.size());
    for (double& one : mean) one = random_.uniform();
    double sigma = options_.sigma;
    std::size_t population = 0;
    small_runs_ = options_.restart == Restart::kBipop && spent_small_ < spent_large_;
    if (small_runs_) {
      const double share = random_.uniform(), ratio = static_cast<double>(large_) / static_cast<double>(first_) / 2;
      population = static_cast<std::size_t>(static_cast<double>(first_) * std::pow(ratio, share * share));
      population = std::max(population, first_);
      sigma *= std::pow(10, -2 * random_.uniform());
    } else {
      large_ *= 2;
      population = large_;
    }
    strategy_ = EvolutionStrategy(std::move(mean), sigma, population, cells_);
  }

  Options options_;
  Random random_;
  VectorXd cells_;
  std::size_t first_, large_;
  std::size_t spent_small_ = 0, spent_large_ = 0;
  bool small_runs_ = false;
  EvolutionStrategy strategy_;
};

class CmaEsSampler final : public Sampler {
 public:
  void describe(config::Section& section) override {
    section.integer("population", options_.population, {0, 10'000},
                    "Trials of one generation; 0 for 4 + 3 ln(number of parameters).");
    section.number("sigma", options_.sigma, {1e-3, 1.0},
                   "First standard deviation of each parameter, as a share of its range.");
    section.choice("restart", options_.restart,
                   {{"none", Restart::kNone}, {"ipop", Restart::kIpop}, {"bipop", Restart::kBipop}},
                   "What to do once it has converged: go on there, begin elsewhere with twice the population, or "
                   "alternate such runs with small ones.");
  }

  void check(const SearchSpace& space, const std::vector<Direction>& directions) const override {
    if (directions.size() > 1) throw UsageError("sampler cma_es searches one objective; take nsga2 for several");
    if (searched_by(space).empty()) {
      throw UsageError("sampler cma_es needs a numerical parameter without 'when'; take tpe for such a search space");
    }
  }

  Suggestion suggest(const Question& question) override {
    const Searched searched = searched_by(question.space);
    Assignment fixed = question.fixed;
    std::map<std::string, Json> notes;
    // A configuration that a person chose is no sample of the distribution, and would tear it away.
    const bool chosen = std::any_of(searched.begin(), searched.end(),
                                    [&](const auto* entry) { return question.fixed.contains(entry->name); });
    if (!chosen && !searched.empty()) {
      const std::vector<const Trial*> parents = catch_up(question, searched);
      notes = generation_notes(kKind, told_.size(), parents);
      Random random = question.random();
      const VectorXd point = strategy_->now().sample(random);
      for (std::size_t i = 0; i < searched.size(); ++i) {
        fixed[searched[i]->name] = from_unit(*searched[i]->distribution, point[static_cast<Eigen::Index>(i)]);
      }
    }
    const Question others{question.space, question.history, question.number, fixed, question.seed};
    return {random_values(others), {}, std::move(notes)};
  }

 private:
  /// Brings the strategy to the state that the history leads to. Returns what the generation that begins with this
  /// question is made from; nothing where it had begun.
  std::vector<const Trial*> catch_up(const Question& question, const Searched& searched) {
    const std::vector<Generation> generations = generations_of(question.history, kKind);
    std::vector<std::uint64_t> told;
    for (std::size_t i = 1; i < generations.size(); ++i) told.push_back(fingerprint(generations[i].parents));
    begin(told, question.seed, searched);
    for (std::size_t i = told_.size(); i < told.size(); ++i) tell(generations[i + 1].parents, question, searched);
    if (generations.empty()) return {};

    std::vector<const Trial*> done = generations.back().trials;
    std::erase_if(done, [](const Trial* trial) { return !has_result(*trial); });
    const std::size_t population = strategy_->now().population();
    if (done.size() < population) return {};
    done.resize(population);
    tell(done, question, searched);
    return done;
  }

  /// Anew where what the strategy knows is of another study.
  void begin(const std::vector<std::uint64_t>& told, std::uint64_t seed, const Searched& searched) {
    std::vector<Distribution> axes;
    for (const auto* entry : searched) axes.push_back(*entry->distribution);
    const bool goes_on = strategy_ && seed == seed_ && axes == axes_ && told_.size() <= told.size() &&
                         std::equal(told_.begin(), told_.end(), told.begin());
    if (goes_on) return;
    VectorXd cells(static_cast<Eigen::Index>(axes.size()));
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const auto count = axes[i].count();
      cells[static_cast<Eigen::Index>(i)] = count && !axes[i].log ? 1 / *count : 0;
    }
    strategy_.emplace(options_, seed, std::move(cells));
    seed_ = seed;
    axes_ = std::move(axes);
    told_.clear();
  }

  void tell(const std::vector<const Trial*>& members, const Question& question, const Searched& searched) {
    told_.push_back(fingerprint(members));
    const Told told = told_by(members, question, searched);
    // Another size than it asked for: the sweep file was changed meanwhile.
    if (told.points.size() == strategy_->now().population()) strategy_->tell(told);
  }

  /// Paused trials may yet change, and so do not count.
  static bool has_result(const Trial& trial) {
    return trial.state == TrialState::kComplete || trial.state == TrialState::kPruned;
  }

  /// Of all that tell() takes from these trials.
  static std::uint64_t fingerprint(const std::vector<const Trial*>& trials) {
    std::uint64_t print = trials.size();
    const auto add = [&](double value) { print = Random(print, std::bit_cast<std::uint64_t>(value)).bits(); };
    for (const Trial* trial : trials) {
      add(static_cast<double>(trial->number));
      add(static_cast<double>(trial->state));
      for (const Parameter& parameter : trial->parameters) add(parameter.value);
      for (const double value : trial->values) add(value);
      if (!trial->reports.empty()) add(trial->reports.back().value);
    }
    return print;
  }

  static Told told_by(const std::vector<const Trial*>& members, const Question& question, const Searched& searched) {
    std::vector<const Trial*> ranked;
    for (const Trial* trial : observe(question.history, question.number).ranked) {
      const bool is_member = std::find(members.begin(), members.end(), trial) != members.end();
      if (is_member && has_result(*trial)) ranked.push_back(trial);
    }
    Told told;
    for (const Trial* trial : ranked) {
      VectorXd point(static_cast<Eigen::Index>(searched.size()));
      for (std::size_t i = 0; i < searched.size(); ++i) {
        const auto value = value_of(*trial, *searched[i]);
        point[static_cast<Eigen::Index>(i)] = value ? to_unit(*searched[i]->distribution, *value) : 0.5;
      }
      told.points.push_back(std::move(point));
      told.losses.push_back(loss_of(*trial, question.history.directions.front()));
    }
    return told;
  }

  Options options_;

  // What was told so far, and where it led: saves replaying all of it at each question.
  std::uint64_t seed_ = 0;
  std::vector<Distribution> axes_;
  std::vector<std::uint64_t> told_;  ///< fingerprints of the generations
  std::optional<RestartingStrategy> strategy_;
};

}  // namespace

std::unique_ptr<Sampler> make_cma_es_sampler() { return std::make_unique<CmaEsSampler>(); }

}  // namespace etude::sweep
