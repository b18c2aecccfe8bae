#include "sweep/samplers/gaussian_process.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "framework/config/error.h"
#include "sweep/samplers/gp_regression.h"
#include "sweep/samplers/minimize.h"
#include "sweep/samplers/observations.h"
#include "sweep/samplers/random.h"
#include "sweep/samplers/unit_cube.h"

namespace etude::sweep {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr int kCandidates = 400;  ///< anywhere
constexpr int kNear = 20;         ///< around each of the best observations
constexpr std::size_t kBest = 4;
constexpr double kNearness = 0.1;
constexpr std::size_t kDescents = 5;
constexpr int kDescentSteps = 30;
constexpr int kSweeps = 2;
constexpr double kManyCells = 16;  ///< up to which all values of a stepped number are tried

struct Options {
  std::int64_t startup = 10;
  std::int64_t observations = 200;
};

/// Places of the model and values of the search space, each in terms of the other.
class Axes {
 public:
  explicit Axes(const Question& question) : question_(question) {
    for (const SearchSpace::Entry& entry : question.space.entries) {
      if (!entry.distribution->single()) entries_.push_back(&entry);
    }
  }

  Index size() const { return static_cast<Index>(entries_.size()); }
  const Distribution& at(Index axis) const { return *entries_[static_cast<std::size_t>(axis)]->distribution; }
  bool is_fixed(Index axis) const { return question_.fixed.contains(entries_[static_cast<std::size_t>(axis)]->name); }
  std::vector<bool> categorical() const {
    std::vector<bool> all;
    for (const auto* entry : entries_) all.push_back(entry->distribution->is_categorical());
    return all;
  }

  VectorXd place(const Assignment& values) const {
    VectorXd x(size());
    for (Index axis = 0; axis < size(); ++axis) {
      const auto value = values.find(entries_[static_cast<std::size_t>(axis)]->name);
      x[axis] = value != values.end() ? on_axis(axis, value->second) : nowhere(axis);
    }
    return x;
  }
  /// Nothing where the trial lacks what this space would give it.
  std::optional<VectorXd> place(const Trial& trial) const {
    Assignment values;
    for (const SearchSpace::Entry& entry : question_.space.entries) {
      if (!question_.space.is_active(entry, values)) continue;
      const auto value = value_of(trial, entry);
      if (!value) return std::nullopt;
      values[entry.name] = *value;
    }
    return place(values);
  }
  Assignment values(const VectorXd& x) const {
    return fill(question_, [&](const SearchSpace::Entry& entry) {
      const auto axis = std::find(entries_.begin(), entries_.end(), &entry);
      if (axis == entries_.end()) return entry.distribution->snapped(entry.distribution->low);
      const double there = x[axis - entries_.begin()];
      return entry.distribution->is_categorical() ? there : from_unit(*entry.distribution, there);
    });
  }
  /// The place of the values that `x` stands for.
  VectorXd settled(const VectorXd& x) const { return place(values(x)); }

  VectorXd anywhere(Random& random) const {
    VectorXd x(size());
    for (Index axis = 0; axis < size(); ++axis) x[axis] = drawn(axis, random);
    return settled(x);
  }
  VectorXd near(const VectorXd& around, Random& random) const {
    VectorXd x = around;
    for (Index axis = 0; axis < size(); ++axis) {
      if (random.uniform() < 0.5) continue;
      x[axis] =
          at(axis).is_categorical() ? drawn(axis, random) : std::clamp(x[axis] + kNearness * random.normal(), 0.0, 1.0);
    }
    return settled(x);
  }

 private:
  double on_axis(Index axis, double value) const {
    return at(axis).is_categorical() ? value : to_unit(at(axis), value);
  }
  double nowhere(Index axis) const { return at(axis).is_categorical() ? 0 : 0.5; }
  double drawn(Index axis, Random& random) const {
    const double u = random.uniform();
    return at(axis).is_categorical() ? from_unit(at(axis), u) : u;
  }

  const Question& question_;
  std::vector<const SearchSpace::Entry*> entries_;
};

/// What the model is fitted to; losses have mean 0 and variance 1.
struct Known {
  std::vector<VectorXd> places;
  std::vector<double> losses;
  std::size_t finished = 0;  ///< those before are measured, the others believed
};

/// The best half and the newest of what is too much.
std::vector<const Trial*> selected(std::vector<const Trial*> ranked, std::size_t most) {
  if (ranked.size() <= most) return ranked;
  const auto half = ranked.begin() + static_cast<std::ptrdiff_t>(most / 2);
  std::stable_sort(half, ranked.end(), [](const Trial* a, const Trial* b) { return a->number > b->number; });
  ranked.resize(most);
  return ranked;
}

/// Infinite losses become the worst that is finite; what was pruned is no better than the median.
std::vector<double> standardized(const std::vector<const Trial*>& trials, Direction direction) {
  std::vector<double> finite;
  for (const Trial* trial : trials) {
    const double loss = loss_of(*trial, direction);
    if (trial->state == TrialState::kComplete && std::isfinite(loss)) finite.push_back(loss);
  }
  if (finite.empty()) return std::vector<double>(trials.size(), 0.0);
  std::sort(finite.begin(), finite.end());
  const double median = finite[finite.size() / 2];
  std::vector<double> losses;
  for (const Trial* trial : trials) {
    double loss = loss_of(*trial, direction);
    if (trial->state != TrialState::kComplete) {
      loss = trial->reports.empty() ? finite.back() : as_loss(trial->reports.back().value, direction);
      loss = std::max(loss, median);
    }
    if (!(loss < finite.back())) loss = finite.back();
    losses.push_back(std::max(loss, finite.front()));
  }
  double mean = 0, squares = 0;
  const auto count = static_cast<double>(losses.size());
  for (const double loss : losses) mean += loss / count;
  for (const double loss : losses) squares += (loss - mean) * (loss - mean) / count;
  const double deviation = squares > 0 ? std::sqrt(squares) : 1;
  for (double& loss : losses) loss = (loss - mean) / deviation;
  return losses;
}

MatrixXd stacked(const std::vector<VectorXd>& places) {
  MatrixXd points(static_cast<Index>(places.size()), places.front().size());
  for (std::size_t i = 0; i < places.size(); ++i) points.row(static_cast<Index>(i)) = places[i].transpose();
  return points;
}

VectorXd as_vector(const std::vector<double>& values) {
  return Eigen::Map<const VectorXd>(values.data(), static_cast<Index>(values.size()));
}

/// Where the expected improvement is greatest.
class Acquisition {
 public:
  Acquisition(const Axes& axes, const GpRegression& model, const Known& known)
      : axes_(axes), model_(model), known_(known) {
    best_ = *std::min_element(known.losses.begin(), known.losses.end());
    for (const VectorXd& place : known.places) taken_.insert(axes_.values(place));
  }

  /// Nothing where all candidates are known already.
  std::optional<Assignment> maximize(Random& random) const {
    std::vector<std::pair<double, VectorXd>> candidates;
    const auto add = [&](VectorXd x) {
      const double value = (*this)(x);
      candidates.emplace_back(value, std::move(x));
    };
    for (int i = 0; i < kCandidates; ++i) add(axes_.anywhere(random));
    for (const std::size_t i : best_places()) {
      for (int k = 0; k < kNear; ++k) add(axes_.near(known_.places[i], random));
    }
    const auto better = [](const auto& a, const auto& b) { return a.first > b.first; };
    std::stable_sort(candidates.begin(), candidates.end(), better);
    const std::size_t descents = std::min(kDescents, candidates.size());
    for (std::size_t i = 0; i < descents; ++i) add(polished(climbed(candidates[i].second)));
    std::stable_sort(candidates.begin(), candidates.end(), better);
    for (const auto& [value, x] : candidates) {
      Assignment values = axes_.values(x);
      if (!taken_.contains(values)) return values;
    }
    return std::nullopt;
  }

 private:
  double operator()(const VectorXd& x) const {
    const auto [mean, variance] = model_.predict(x);
    double by_mean = 0, by_variance = 0;
    return log_expected_improvement(mean, variance, best_, by_mean, by_variance);
  }

  std::vector<std::size_t> best_places() const {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < known_.finished; ++i) order.push_back(i);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return known_.losses[a] < known_.losses[b]; });
    order.resize(std::min(order.size(), kBest));
    return order;
  }

  /// Along the numbers, stepped ones taken for continuous.
  VectorXd climbed(const VectorXd& start) const {
    const Index size = axes_.size();
    VectorXd low = start, high = start, of_mean(size), of_variance(size);
    const VectorXd settled = axes_.place(axes_.values(start));
    for (Index axis = 0; axis < size; ++axis) {
      if (axes_.at(axis).is_categorical() || axes_.is_fixed(axis)) continue;
      low[axis] = 0;
      high[axis] = 1;
    }
    const Differentiable descent = [&](const VectorXd& x, VectorXd& gradient) {
      const auto [mean, variance] = model_.predict(x, of_mean, of_variance);
      double by_mean = 0, by_variance = 0;
      const double value = log_expected_improvement(mean, variance, best_, by_mean, by_variance);
      gradient = -(by_mean * of_mean + by_variance * of_variance);
      return -value;
    };
    return axes_.settled(minimize(descent, settled, low, high, kDescentSteps));
  }

  /// One axis after the other, over what has no slope: choices, and the values of stepped numbers.
  VectorXd polished(VectorXd x) const {
    double value = (*this)(x);
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      bool moved = false;
      for (Index axis = 0; axis < axes_.size(); ++axis) {
        for (const double there : alternatives(axis, x[axis])) {
          VectorXd other = x;
          other[axis] = there;
          other = axes_.settled(other);
          if (const double its = (*this)(other); its > value) {
            value = its;
            x = std::move(other);
            moved = true;
          }
        }
      }
      if (!moved) break;
    }
    return x;
  }

  std::vector<double> alternatives(Index axis, double here) const {
    const Distribution& distribution = axes_.at(axis);
    const auto count = distribution.count();
    std::vector<double> all;
    if (!count || axes_.is_fixed(axis)) return all;
    if (distribution.is_categorical()) {
      for (double choice = 0; choice < *count; ++choice) all.push_back(choice);
    } else if (*count <= kManyCells) {
      for (double cell = 0; cell < *count; ++cell) all.push_back((cell + 0.5) / *count);
    } else {
      for (const double cells : {-2.0, -1.0, 1.0, 2.0}) all.push_back(std::clamp(here + cells / *count, 0.0, 1.0));
    }
    return all;
  }

  const Axes& axes_;
  const GpRegression& model_;
  const Known& known_;
  double best_ = 0;
  std::set<Assignment> taken_;
};

class GaussianProcessSampler final : public Sampler {
 public:
  void describe(config::Section& section) override {
    section.integer("startup_trials", options_.startup, {1, 100'000}, "Trials at random before the model is trusted.");
    section.integer("observations", options_.observations, {10, 2'000},
                    "The most trials that the model is fitted to, the best and the newest; its time grows with their "
                    "cube.");
  }

  void check(const SearchSpace&, const std::vector<Direction>& directions) const override {
    if (directions.size() > 1) throw UsageError("sampler gp searches one objective; take nsga2 for several");
  }

  Suggestion suggest(const Question& question) override {
    const Axes axes(question);
    const Observations seen = observe(question.history, question.number);
    std::vector<const Trial*> trials;
    for (const Trial* trial : selected(seen.ranked, static_cast<std::size_t>(options_.observations))) {
      if (axes.place(*trial)) trials.push_back(trial);
    }
    const bool early = std::ssize(trials) < options_.startup || axes.size() == 0;
    if (early) return {random_values(question), {}, {}};

    Known known;
    for (const Trial* trial : trials) known.places.push_back(*axes.place(*trial));
    known.losses = standardized(trials, question.history.directions.front());
    known.finished = known.places.size();
    const std::vector<bool> categorical = axes.categorical();
    const GpParameters parameters = GpRegression::fit(stacked(known.places), as_vector(known.losses), categorical);
    const auto model = [&] {
      return GpRegression(stacked(known.places), as_vector(known.losses), categorical, parameters);
    };
    GpRegression regression = model();
    bool believes = false;
    for (const Trial* trial : seen.running) {
      const auto place = axes.place(*trial);
      if (!place) continue;
      known.places.push_back(*place);
      known.losses.push_back(regression.predict(*place).mean);
      believes = true;
    }
    if (believes) regression = model();
    Random random = question.random();
    const auto values = Acquisition(axes, regression, known).maximize(random);
    return {values ? *values : random_values(question), {}, {}};
  }

 private:
  Options options_;
};

}  // namespace

std::unique_ptr<Sampler> make_gaussian_process_sampler() { return std::make_unique<GaussianProcessSampler>(); }

}  // namespace etude::sweep
