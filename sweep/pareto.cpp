#include "sweep/pareto.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace etude::sweep {

std::vector<double> losses_of(const Trial& trial, const std::vector<Direction>& directions) {
  if (trial.state != TrialState::kComplete || trial.values.size() != directions.size()) return {};
  std::vector<double> losses;
  for (std::size_t i = 0; i < directions.size(); ++i) {
    if (std::isnan(trial.values[i])) return {};
    losses.push_back(as_loss(trial.values[i], directions[i]));
  }
  return losses;
}

bool dominates(const std::vector<double>& a, const std::vector<double>& b) {
  bool better = false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] > b[i]) return false;
    better = better || a[i] < b[i];
  }
  return better;
}

std::vector<std::int64_t> pareto_front(const History& history) {
  using Point = std::pair<std::vector<double>, std::int64_t>;
  std::vector<Point> points;
  for (const Trial& trial : history.trials) {
    if (auto losses = losses_of(trial, history.directions); !losses.empty()) {
      points.emplace_back(std::move(losses), trial.number);
    }
  }
  // In lexicographic order nothing is dominated by what comes later, so the front only grows.
  std::sort(points.begin(), points.end());
  std::vector<const Point*> front;
  for (const Point& point : points) {
    const auto beats = [&](const Point* other) { return dominates(other->first, point.first); };
    if (std::none_of(front.begin(), front.end(), beats)) front.push_back(&point);
  }
  std::vector<std::int64_t> numbers;
  for (const Point* point : front) numbers.push_back(point->second);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::vector<std::size_t> front_ranks(const std::vector<std::vector<double>>& losses) {
  const std::size_t count = losses.size();
  std::vector<std::vector<std::size_t>> beaten(count);  // by each
  std::vector<std::size_t> beaten_by(count, 0), ranks(count, 0), front, next;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < count; ++j) {
      if (!dominates(losses[i], losses[j])) continue;
      beaten[i].push_back(j);
      ++beaten_by[j];
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (beaten_by[i] == 0) front.push_back(i);
  }
  for (std::size_t rank = 0; !front.empty(); ++rank, front = std::exchange(next, {})) {
    for (const std::size_t i : front) {
      ranks[i] = rank;
      for (const std::size_t j : beaten[i]) {
        if (--beaten_by[j] == 0) next.push_back(j);
      }
    }
  }
  return ranks;
}

std::vector<double> crowding_distances(const std::vector<std::vector<double>>& losses) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<double> distances(losses.size(), 0.0);
  if (losses.empty()) return distances;
  std::vector<std::size_t> order(losses.size());
  for (std::size_t objective = 0; objective < losses.front().size(); ++objective) {
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto at = [&](std::size_t place) { return losses[order[place]][objective]; };
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return losses[a][objective] < losses[b][objective]; });
    const double range = at(order.size() - 1) - at(0);
    distances[order.front()] = distances[order.back()] = kInfinity;
    if (!(range > 0)) continue;
    for (std::size_t i = 1; i + 1 < order.size(); ++i) {
      const double gap = at(i + 1) - at(i - 1);  // nan between equal infinities, which are not apart
      if (gap > 0) distances[order[i]] += std::isinf(range) ? (std::isinf(gap) ? 1 : 0) : gap / range;
    }
  }
  return distances;
}

}  // namespace etude::sweep
