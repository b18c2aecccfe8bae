#include "sweep/samplers/minimize.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <utility>
#include <vector>

namespace etude::sweep {
namespace {

using Eigen::VectorXd;

constexpr std::size_t kMemory = 8;
constexpr int kHalvings = 20;
constexpr double kEnoughDescent = 1e-4;
constexpr double kFlat = 1e-7;

struct Pair {
  VectorXd step, change;  ///< of the place and of the gradient
};

/// What the gradient becomes when it is measured by the curvature that the pairs show.
VectorXd scaled(const std::deque<Pair>& pairs, VectorXd q) {
  std::vector<double> alphas;
  for (auto pair = pairs.rbegin(); pair != pairs.rend(); ++pair) {
    alphas.push_back(pair->step.dot(q) / pair->step.dot(pair->change));
    q -= alphas.back() * pair->change;
  }
  const Pair& last = pairs.back();
  q *= last.step.dot(last.change) / last.change.squaredNorm();
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const double beta = pairs[i].change.dot(q) / pairs[i].step.dot(pairs[i].change);
    q += (alphas[pairs.size() - 1 - i] - beta) * pairs[i].step;
  }
  return q;
}

}  // namespace

VectorXd minimize(const Differentiable& function, VectorXd x, const VectorXd& low, const VectorXd& high,
                  int iterations) {
  VectorXd gradient(x.size()), next_gradient(x.size());
  double value = function(x, gradient);
  std::deque<Pair> pairs;
  for (int iteration = 0; iteration < iterations && std::isfinite(value); ++iteration) {
    VectorXd free = gradient;
    for (Eigen::Index i = 0; i < x.size(); ++i) {
      if ((x[i] <= low[i] && gradient[i] > 0) || (x[i] >= high[i] && gradient[i] < 0)) free[i] = 0;
    }
    if (!(free.cwiseAbs().maxCoeff() > kFlat)) break;
    VectorXd direction = pairs.empty() ? VectorXd(-free / std::max(1.0, free.norm())) : VectorXd(-scaled(pairs, free));
    direction = (free.array() == 0).select(0, direction);
    if (!(direction.dot(free) < 0)) direction = -free / std::max(1.0, free.norm());

    bool moved = false;
    double step = 1;
    for (int halving = 0; halving < kHalvings && !moved; ++halving, step /= 2) {
      const VectorXd next = (x + step * direction).cwiseMax(low).cwiseMin(high);
      const double there = function(next, next_gradient);
      moved = there <= value + kEnoughDescent * gradient.dot(next - x) && (next.array() != x.array()).any();
      if (!moved) continue;
      Pair pair{next - x, next_gradient - gradient};
      if (pair.step.dot(pair.change) > 1e-10 * pair.change.squaredNorm()) pairs.push_back(std::move(pair));
      if (pairs.size() > kMemory) pairs.pop_front();
      const bool settled = value - there < kFlat * std::max(1.0, std::abs(value)) * 1e-3;
      x = next;
      value = there;
      gradient.swap(next_gradient);
      if (settled) return x;
    }
    if (!moved) break;
  }
  return x;
}

}  // namespace etude::sweep
