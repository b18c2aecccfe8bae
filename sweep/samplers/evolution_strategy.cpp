#include "sweep/samplers/evolution_strategy.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <Eigen/Eigenvalues>

namespace etude::sweep {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr int kDraws = 100;            ///< until a point is pressed into the cube
constexpr double kLeastOfACell = 0.2;  ///< a normal of that width around a cell's middle leaves it now and then
constexpr double kNoSpread = 1e-11;
constexpr double kNoDifference = 1e-12;
constexpr double kWorstCondition = 1e14;
constexpr double kDiverged = 1e4;

std::size_t at(Eigen::Index index) { return static_cast<std::size_t>(index); }
Eigen::Index index(std::size_t at) { return static_cast<Eigen::Index>(at); }

double effective_mass(const std::vector<double>& weights, std::size_t from, std::size_t to) {
  double sum = 0, squares = 0;
  for (std::size_t i = from; i < to; ++i) {
    sum += weights[i];
    squares += weights[i] * weights[i];
  }
  return squares > 0 ? sum * sum / squares : 0;
}

}  // namespace

std::size_t EvolutionStrategy::default_population(std::size_t dimensions) {
  return 4 + static_cast<std::size_t>(3 * std::log(static_cast<double>(dimensions)));
}

EvolutionStrategy::EvolutionStrategy(VectorXd mean, double sigma, std::size_t population, VectorXd cells)
    : population_(std::max<std::size_t>(population, 4)),
      parents_(population_ / 2),
      mean_(std::move(mean)),
      cells_(std::move(cells)),
      sigma_(sigma),
      initial_sigma_(sigma),
      covariance_(MatrixXd::Identity(mean_.size(), mean_.size())),
      path_sigma_(VectorXd::Zero(mean_.size())),
      path_c_(VectorXd::Zero(mean_.size())) {
  weigh();
  keep_leaving_cells();
  decompose();
}

/// The weights of the ranks and the rates of learning: equations (49) to (58) and Table 1.
void EvolutionStrategy::weigh() {
  const double n = static_cast<double>(mean_.size());
  weights_.resize(population_);
  for (std::size_t i = 0; i < population_; ++i) {
    weights_[i] = std::log((static_cast<double>(population_) + 1) / 2) - std::log(static_cast<double>(i + 1));
  }
  mass_ = effective_mass(weights_, 0, parents_);
  const double mass_of_worse = effective_mass(weights_, parents_, population_);

  c_sigma_ = (mass_ + 2) / (n + mass_ + 5);
  d_sigma_ = 1 + 2 * std::max(0.0, std::sqrt((mass_ - 1) / (n + 1)) - 1) + c_sigma_;
  c_c_ = (4 + mass_ / n) / (n + 4 + 2 * mass_ / n);
  c_1_ = 2 / ((n + 1.3) * (n + 1.3) + mass_);
  c_mu_ = std::min(1 - c_1_, 2 * (mass_ + 1 / mass_ - 2) / ((n + 2) * (n + 2) + mass_));
  expected_length_ = std::sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n));

  double positive = 0, negative = 0;
  for (const double weight : weights_) (weight > 0 ? positive : negative) += std::abs(weight);
  const double least =
      std::min({1 + c_1_ / c_mu_, 1 + 2 * mass_of_worse / (mass_ + 2), (1 - c_1_ - c_mu_) / (n * c_mu_)});
  for (double& weight : weights_) weight *= weight > 0 ? 1 / positive : least / negative;
}

void EvolutionStrategy::decompose() {
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(covariance_);
  axes_ = solver.eigenvectors();
  lengths_ = solver.eigenvalues().cwiseMax(1e-30).cwiseSqrt();
}

/// Whole numbers make the plateaus on which the step size would die (Hansen 2011, "A CMA-ES for mixed-integer
/// nonlinear optimization"): no coordinate's spread falls below a share of its cells.
void EvolutionStrategy::keep_leaving_cells() {
  for (Eigen::Index i = 0; i < mean_.size(); ++i) {
    const double spread = sigma_ * std::sqrt(covariance_(i, i)), least = kLeastOfACell * cells_[i];
    if (!(spread < least)) continue;
    covariance_.row(i) *= least / spread;
    covariance_.col(i) *= least / spread;
  }
}

VectorXd EvolutionStrategy::sample(Random& random) const {
  VectorXd point(mean_.size());
  for (int draw = 0; draw < kDraws; ++draw) {
    VectorXd normal(mean_.size());
    for (double& one : normal) one = random.normal();
    point = mean_ + sigma_ * (axes_ * lengths_.cwiseProduct(normal));
    if (point.minCoeff() >= 0 && point.maxCoeff() <= 1) return point;
  }
  return point.cwiseMax(0.0).cwiseMin(1.0);
}

void EvolutionStrategy::tell(const std::vector<VectorXd>& ranked, const std::vector<double>& losses) {
  const double n = static_cast<double>(mean_.size());
  std::vector<VectorXd> steps;
  VectorXd step = VectorXd::Zero(mean_.size());
  for (std::size_t i = 0; i < population_; ++i) {
    steps.emplace_back((ranked[i] - mean_) / sigma_);
    if (i < parents_) step += weights_[i] * steps[i];
  }
  mean_ += sigma_ * step;
  ++generation_;

  const auto whitened = [&](const VectorXd& y) -> VectorXd {
    return axes_ * (axes_.transpose() * y).cwiseQuotient(lengths_);
  };
  path_sigma_ = (1 - c_sigma_) * path_sigma_ + std::sqrt(c_sigma_ * (2 - c_sigma_) * mass_) * whitened(step);
  const double length = path_sigma_.norm();
  const double begun = std::sqrt(1 - std::pow(1 - c_sigma_, 2 * static_cast<double>(generation_)));
  const bool stalled = length / begun >= (1.4 + 2 / (n + 1)) * expected_length_;
  path_c_ *= 1 - c_c_;
  if (!stalled) path_c_ += std::sqrt(c_c_ * (2 - c_c_) * mass_) * step;

  double sum = 0;
  for (const double weight : weights_) sum += weight;
  const double lost = stalled ? c_c_ * (2 - c_c_) : 0;  // what the path lacks, equation (47)
  covariance_ *= 1 + c_1_ * lost - c_1_ - c_mu_ * sum;
  covariance_ += c_1_ * path_c_ * path_c_.transpose();
  for (std::size_t i = 0; i < population_; ++i) {
    // A bad step counts by its direction alone, so that the matrix stays positive: equation (46).
    const double weight =
        weights_[i] >= 0 ? weights_[i] : weights_[i] * n / std::max(whitened(steps[i]).squaredNorm(), 1e-30);
    covariance_ += c_mu_ * weight * steps[i] * steps[i].transpose();
  }
  sigma_ *= std::exp(std::min(1.0, c_sigma_ / d_sigma_ * (length / expected_length_ - 1)));
  keep_leaving_cells();
  covariance_ = (covariance_ + covariance_.transpose()).eval() / 2;
  decompose();

  best_losses_.push_back(losses.front());
  last_spread_ = losses.back() - losses.front();
}

bool EvolutionStrategy::converged() const {
  if (!covariance_.allFinite() || !std::isfinite(sigma_)) return true;
  const double largest = lengths_.maxCoeff(), smallest = lengths_.minCoeff();
  if (sigma_ * largest < kNoSpread || sigma_ * largest > kDiverged * initial_sigma_) return true;
  if (largest * largest > kWorstCondition * smallest * smallest) return true;
  const std::size_t window =
      10 + at(std::lround(std::ceil(30.0 * static_cast<double>(mean_.size()) / static_cast<double>(population_))));
  if (best_losses_.size() < window) return false;
  const auto [best, worst] = std::minmax_element(best_losses_.end() - index(window), best_losses_.end());
  return *worst - *best < kNoDifference && last_spread_ < kNoDifference;
}

}  // namespace etude::sweep
