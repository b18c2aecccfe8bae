#include "sweep/samplers/grid.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "framework/config/error.h"
#include "sweep/samplers/observations.h"
#include "sweep/samplers/random.h"

namespace etude::sweep {
namespace {

constexpr std::size_t kMostPoints = 1'000'000;
constexpr std::uint64_t kShuffle = 0x67726964;  ///< the stream of the order; trials have theirs by number
constexpr double kAbsent = -std::numeric_limits<double>::infinity();

/// One value for each entry of the space, kAbsent where it is not active.
using Point = std::vector<double>;

std::vector<double> values_of(const Distribution& distribution) {
  std::vector<double> values;
  const auto count = static_cast<std::size_t>(distribution.count().value());
  for (std::size_t i = 0; i < count; ++i) {
    const double step = distribution.is_categorical() ? 1 : distribution.step.value_or(0);
    values.push_back(distribution.snapped(distribution.low + static_cast<double>(i) * step));
  }
  return values;
}

/// Appends all points that begin as `point` does. Returns false as soon as there are too many.
bool enumerate(const SearchSpace& space, Assignment& values, Point& point, std::vector<Point>& points) {
  if (point.size() == space.entries.size()) {
    points.push_back(point);
    return points.size() <= kMostPoints;
  }
  const SearchSpace::Entry& entry = space.entries[point.size()];
  bool good = true;
  if (!space.is_active(entry, values)) {
    point.push_back(kAbsent);
    good = enumerate(space, values, point, points);
    point.pop_back();
    return good;
  }
  for (const double value : values_of(*entry.distribution)) {
    values[entry.name] = value;
    point.push_back(value);
    good = good && enumerate(space, values, point, points);
    point.pop_back();
  }
  values.erase(entry.name);
  return good;
}

/// The point that a trial stands at; nothing for one of another space.
std::optional<Point> point_of(const SearchSpace& space, const Trial& trial) {
  Assignment values;
  Point point;
  for (const SearchSpace::Entry& entry : space.entries) {
    if (!space.is_active(entry, values)) {
      point.push_back(kAbsent);
      continue;
    }
    const auto value = value_of(trial, entry);
    if (!value) return std::nullopt;
    point.push_back(values[entry.name] = entry.distribution->snapped(*value));
  }
  return point;
}

class GridSampler final : public Sampler {
 public:
  void describe(config::Section&) override {}

  void check(const SearchSpace& space, const std::vector<Direction>&) const override {
    for (const SearchSpace::Entry& entry : space.entries) {
      if (entry.distribution->count()) continue;
      throw UsageError(
          fmt::format("sampler grid cannot try every value of {}, which has no end of them; give it a step or "
                      "a list of values, or use kind: random",
                      entry.name));
    }
    if (enumerated(space).size() > kMostPoints) {
      throw UsageError(
          fmt::format("sampler grid: the parameters have more than {} combinations; give them greater steps "
                      "or fewer values, or use kind: random",
                      kMostPoints));
    }
  }

  Suggestion suggest(const Question& question) override {
    const auto tries = tries_of(question.space, question.history, question.number);
    const std::vector<Point>& points = shuffled(question.space, question.seed);
    for (const int failures : {0, 1}) {
      for (const Point& point : points) {
        const auto tried = tries.find(point);
        if ((tried == tries.end() ? 0 : tried->second) != failures) continue;
        if (auto values = assignment(question, point)) return {std::move(*values), {}, {}};
      }
    }
    return {random_values(question), {}, {}};  // what is fixed lies beside the grid, or all was tried
  }

  std::string exhausted(const SearchSpace& space, const History& history) const override {
    const auto tries = tries_of(space, history, -1);
    const auto done =
        std::count_if(tries.begin(), tries.end(), [](const auto& tried) { return tried.second >= kDone; });
    return static_cast<std::size_t>(done) == shuffled(space, seed_).size() ? "every configuration was tried" : "";
  }

 private:
  static constexpr int kDone = 2;  ///< failures after which a point is left alone

  static std::vector<Point> enumerated(const SearchSpace& space) {
    std::vector<Point> points;
    Assignment values;
    Point point;
    enumerate(space, values, point, points);
    return points;
  }

  /// Of each point that some trial has taken how often it failed; kDone where it did not.
  static std::map<Point, int> tries_of(const SearchSpace& space, const History& history, std::int64_t asking) {
    std::map<Point, int> tries;
    for (const Trial& trial : history.trials) {
      if (trial.number == asking || trial.state == TrialState::kWaiting) continue;
      if (const auto point = point_of(space, trial)) {
        tries[*point] += trial.state == TrialState::kFail ? 1 : kDone;
      }
    }
    return tries;
  }

  /// Nothing where the user wants other values.
  static std::optional<Assignment> assignment(const Question& question, const Point& point) {
    Assignment values;
    for (std::size_t i = 0; i < point.size(); ++i) {
      const std::string& name = question.space.entries[i].name;
      const auto fixed = question.fixed.find(name);
      if (point[i] == kAbsent) continue;
      if (fixed != question.fixed.end() && fixed->second != point[i]) return std::nullopt;
      values[name] = point[i];
    }
    return values;
  }

  /// The points in their order, kept since they stay the same.
  const std::vector<Point>& shuffled(const SearchSpace& space, std::uint64_t seed) const {
    if (!points_.empty() && seed == seed_ && same(space, space_)) return points_;
    points_ = enumerated(space);
    Random random(seed, kShuffle);
    for (std::size_t i = points_.size(); i > 1; --i) std::swap(points_[i - 1], points_[random.below(i)]);
    space_ = space;
    seed_ = seed;
    return points_;
  }

  static bool same(const SearchSpace& a, const SearchSpace& b) {
    return std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(),
                      [](const SearchSpace::Entry& one, const SearchSpace::Entry& other) {
                        return one.name == other.name && one.when == other.when &&
                               *one.distribution == *other.distribution;
                      });
  }

  mutable SearchSpace space_;
  mutable std::uint64_t seed_ = 0;
  mutable std::vector<Point> points_;
};

}  // namespace

std::unique_ptr<Sampler> make_grid_sampler() { return std::make_unique<GridSampler>(); }

}  // namespace etude::sweep
