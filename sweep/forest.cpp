#include "sweep/forest.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace etude::sweep {
namespace {

constexpr std::size_t kDepth = 64;
constexpr double kBetter = 1 + 1e-12;  ///< by more than rounding

}  // namespace

struct RegressionTree::Split {
  std::size_t axis = 0;
  double at = 0;      ///< the greatest number, or the choice, that goes left
  double score = -1;  ///< what it takes off the sum of squares, but for a constant
};

struct RegressionTree::Node {
  std::vector<std::vector<std::size_t>> order;  ///< its points along each axis
  std::vector<Range> box;
  std::size_t depth = 0;
};

double RegressionTree::Range::share() const {
  if (choices.empty()) return high - low;
  const auto allowed = std::count(choices.begin(), choices.end(), true);
  return static_cast<double>(allowed) / static_cast<double>(choices.size());
}

RegressionTree::RegressionTree(const Samples& samples, Random& random) {
  const std::size_t count = samples.values.size();
  std::vector<double> weights(count, 0.0);
  for (std::size_t i = 0; i < count; ++i) weights[random.below(count)] += 1;
  std::vector<std::size_t> drawn;
  for (std::size_t i = 0; i < count; ++i) {
    if (weights[i] > 0) drawn.push_back(i);
  }
  Node root;
  for (const Samples::Axis& axis : samples.axes) {
    root.box.push_back({0, 1, std::vector<bool>(axis.choices, true)});
    root.order.push_back(drawn);
    std::stable_sort(root.order.back().begin(), root.order.back().end(),
                     [&](std::size_t a, std::size_t b) { return axis.at[a] < axis.at[b]; });
  }
  grow(samples, weights, std::move(root), random);
}

void RegressionTree::grow(const Samples& samples, const std::vector<double>& weights, Node node, Random& random) {
  const std::vector<std::size_t>& points = node.order.front();
  double sum = 0, weight = 0;
  bool alike = true;
  for (const std::size_t i : points) {
    sum += weights[i] * samples.values[i];
    weight += weights[i];
    alike = alike && samples.values[i] == samples.values[points.front()];
  }

  Split best;
  const auto consider = [&](std::size_t axis, double at, double left_sum, double left_weight) {
    const double right_sum = sum - left_sum, right_weight = weight - left_weight;
    const double score = left_sum * left_sum / left_weight + right_sum * right_sum / right_weight;
    if (score > best.score * kBetter) best = {axis, at, score};
  };
  // From a random axis on: where axes part the points alike, as they do at the end of a branch, none is preferred.
  const std::size_t first = random.below(node.box.size());
  for (std::size_t k = 0; k < node.box.size() && !alike && node.depth < kDepth; ++k) {
    const std::size_t axis = (first + k) % node.box.size();
    const Samples::Axis& along = samples.axes[axis];
    const std::vector<std::size_t>& order = node.order[axis];
    double left_sum = 0, left_weight = 0;
    for (std::size_t i = 0; i + 1 <= order.size(); ++i) {
      const double here = along.at[order[i]];
      left_sum += weights[order[i]] * samples.values[order[i]];
      left_weight += weights[order[i]];
      const bool last = i + 1 == order.size();
      if (!last && along.at[order[i + 1]] == here) continue;
      if (along.choices > 0) {
        if (left_weight < weight) consider(axis, here, left_sum, left_weight);
        left_sum = left_weight = 0;  // one choice against all others
      } else if (!last) {
        consider(axis, (here + along.at[order[i + 1]]) / 2, left_sum, left_weight);
      }
    }
  }

  if (best.score < 0) {
    double volume = 1;
    for (const Range& range : node.box) volume *= range.share();
    leaves_.push_back({sum / weight, volume, std::move(node.box)});
    return;
  }
  const Samples::Axis& along = samples.axes[best.axis];
  const auto goes_left = [&](std::size_t i) {
    return along.choices > 0 ? along.at[i] == best.at : along.at[i] <= best.at;
  };
  Node left{{}, node.box, node.depth + 1}, right{{}, std::move(node.box), node.depth + 1};
  Range &left_range = left.box[best.axis], &right_range = right.box[best.axis];
  if (along.choices > 0) {
    const auto choice = static_cast<std::size_t>(best.at);
    left_range.choices.assign(along.choices, false);
    left_range.choices[choice] = true;
    right_range.choices[choice] = false;
  } else {
    left_range.high = right_range.low = best.at;
  }
  for (std::vector<std::size_t>& order : node.order) {
    left.order.emplace_back();
    right.order.emplace_back();
    for (const std::size_t i : order) (goes_left(i) ? left : right).order.back().push_back(i);
    order = {};
  }
  grow(samples, weights, std::move(left), random);
  grow(samples, weights, std::move(right), random);
}

double RegressionTree::mean() const {
  return std::accumulate(leaves_.begin(), leaves_.end(), 0.0,
                         [](double sum, const Leaf& leaf) { return sum + leaf.volume * leaf.value; });
}

double RegressionTree::variance() const {
  const double middle = mean();
  double sum = 0;
  for (const Leaf& leaf : leaves_) sum += leaf.volume * (leaf.value - middle) * (leaf.value - middle);
  return sum;
}

double RegressionTree::marginal_variance(std::size_t axis) const {
  // At each place of the axis the boxes that lie over it fill the space of all others: the marginal there is the mean
  // of their values, weighted by what they fill (equation 5 there).
  const double middle = mean();
  double sum = 0;
  if (const std::size_t choices = leaves_.front().box[axis].choices.size(); choices > 0) {
    std::vector<double> marginal(choices, 0.0);
    for (const Leaf& leaf : leaves_) {
      const Range& range = leaf.box[axis];
      for (std::size_t i = 0; i < choices; ++i) {
        if (range.choices[i]) marginal[i] += (leaf.value - middle) * leaf.volume / range.share();
      }
    }
    for (const double one : marginal) sum += one * one / static_cast<double>(choices);
    return sum;
  }
  std::vector<std::pair<double, double>> edges;
  for (const Leaf& leaf : leaves_) {
    const Range& range = leaf.box[axis];
    if (!(range.share() > 0)) continue;
    const double height = (leaf.value - middle) * leaf.volume / range.share();
    edges.emplace_back(range.low, height);
    edges.emplace_back(range.high, -height);
  }
  std::sort(edges.begin(), edges.end());
  double marginal = 0;
  for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
    marginal += edges[i].second;
    sum += marginal * marginal * (edges[i + 1].first - edges[i].first);
  }
  return sum;
}

}  // namespace etude::sweep
