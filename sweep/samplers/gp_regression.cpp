#include "sweep/samplers/gp_regression.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "sweep/samplers/minimize.h"

namespace etude::sweep {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kLeastNoise = 1e-6;
constexpr double kLeastVariance = 1e-12;
constexpr int kFitIterations = 40;
const double kRoot5 = std::sqrt(5.0);

double apart(double a, double b, bool categorical) { return categorical ? (a != b ? 1 : 0) : (a - b) * (a - b); }

double matern(double squared) {
  const double r = kRoot5 * std::sqrt(squared);
  return (1 + r + r * r / 3) * std::exp(-r);
}

/// By r².
double matern_slope(double squared) {
  const double r = kRoot5 * std::sqrt(squared);
  return -5.0 / 6 * (1 + r) * std::exp(-r);
}

/// r² of every pair.
MatrixXd distances(const MatrixXd& points, const std::vector<bool>& categorical, const VectorXd& weights) {
  MatrixXd squared = MatrixXd::Zero(points.rows(), points.rows());
  for (Index axis = 0; axis < points.cols(); ++axis) {
    const bool choice = categorical[static_cast<std::size_t>(axis)];
    for (Index j = 0; j < points.rows(); ++j) {
      for (Index i = j + 1; i < points.rows(); ++i) {
        squared(i, j) += weights[axis] * apart(points(i, axis), points(j, axis), choice);
      }
    }
  }
  return squared.selfadjointView<Eigen::Lower>();
}

/// Minus the logarithm of the posterior density at parameters whose logarithms are `logs`: weights, scale, and noise
/// beyond the least.
class Posterior {
 public:
  Posterior(const MatrixXd& points, const VectorXd& values, const std::vector<bool>& categorical)
      : points_(points), values_(values), categorical_(categorical) {}

  static GpParameters at(const VectorXd& logs) {
    const Index axes = logs.size() - 2;
    return {logs.head(axes).array().exp(), std::exp(logs[axes]), kLeastNoise + std::exp(logs[axes + 1])};
  }

  double operator()(const VectorXd& logs, VectorXd& gradient) const {
    const GpParameters parameters = at(logs);
    const Index axes = points_.cols(), count = points_.rows();
    const MatrixXd squared = distances(points_, categorical_, parameters.weights);
    const MatrixXd shape = squared.unaryExpr(&matern);
    MatrixXd kernel = parameters.scale * shape;
    kernel.diagonal().array() += parameters.noise;
    const Eigen::LLT<MatrixXd> cholesky(kernel);
    if (cholesky.info() != Eigen::Success) return std::numeric_limits<double>::infinity();
    const VectorXd solved = cholesky.solve(values_);
    // dL/dp = -½ tr((K⁻¹y yᵀK⁻¹ - K⁻¹) dK/dp), Rasmussen and Williams equation 5.9.
    const MatrixXd inner = solved * solved.transpose() - cholesky.solve(MatrixXd::Identity(count, count));
    const MatrixXd sloped = parameters.scale * inner.cwiseProduct(squared.unaryExpr(&matern_slope));
    for (Index axis = 0; axis < axes; ++axis) {
      gradient[axis] = -0.5 * parameters.weights[axis] * along(sloped, axis);
    }
    gradient[axes] = -0.5 * parameters.scale * inner.cwiseProduct(shape).sum();
    gradient[axes + 1] = -0.5 * (parameters.noise - kLeastNoise) * inner.trace();
    const double misfit = 0.5 * values_.dot(solved) + cholesky.matrixLLT().diagonal().array().log().sum();
    return misfit + unlikely(parameters, gradient);
  }

 private:
  /// Σ sloped(i, j) · apart(i, j).
  double along(const MatrixXd& sloped, Index axis) const {
    const auto x = points_.col(axis);
    if (!categorical_[static_cast<std::size_t>(axis)]) {
      return 2 * (x.cwiseAbs2().dot(sloped.rowwise().sum()) - x.dot(sloped * x));
    }
    double sum = 0;
    for (Index j = 0; j < x.size(); ++j) {
      for (Index i = 0; i < x.size(); ++i) sum += x[i] != x[j] ? sloped(i, j) : 0;
    }
    return sum;
  }

  static double unlikely(const GpParameters& parameters, VectorXd& gradient) {
    const Index axes = parameters.weights.size();
    double sum = 0;
    for (Index axis = 0; axis < axes; ++axis) {
      const double weight = parameters.weights[axis];
      sum += 0.1 * (weight + 1 / weight);
      gradient[axis] += 0.1 * (weight - 1 / weight);
    }
    sum += parameters.scale - std::log(parameters.scale);
    gradient[axes] += parameters.scale - 1;
    const double noise = parameters.noise, extra = noise - kLeastNoise;
    sum += 30 * noise - 0.1 * std::log(noise);
    gradient[axes + 1] += (30 - 0.1 / noise) * extra;
    return sum;
  }

  const MatrixXd& points_;
  const VectorXd& values_;
  const std::vector<bool>& categorical_;
};

}  // namespace

GpParameters GpRegression::fit(const MatrixXd& points, const VectorXd& values, const std::vector<bool>& categorical) {
  const Index axes = points.cols();
  VectorXd start = VectorXd::Zero(axes + 2), low = VectorXd::Constant(axes + 2, -7),
           high = VectorXd::Constant(axes + 2, 7);
  start[axes + 1] = std::log(1e-2);
  low[axes + 1] = std::log(1e-8);
  high[axes + 1] = 0;
  return Posterior::at(minimize(Posterior(points, values, categorical), start, low, high, kFitIterations));
}

GpRegression::GpRegression(MatrixXd points, VectorXd values, std::vector<bool> categorical, GpParameters parameters)
    : points_(std::move(points)), categorical_(std::move(categorical)), parameters_(std::move(parameters)) {
  const Index count = points_.rows();
  MatrixXd kernel = parameters_.scale * distances(points_, categorical_, parameters_.weights).unaryExpr(&matern);
  kernel.diagonal().array() += parameters_.noise;
  const Eigen::LLT<MatrixXd> cholesky(kernel);
  solved_ = cholesky.solve(values);
  inverse_ = cholesky.solve(MatrixXd::Identity(count, count));
}

GpRegression::Prediction GpRegression::predict(const VectorXd& x) const {
  VectorXd alike(points_.rows());
  for (Index i = 0; i < points_.rows(); ++i) {
    double squared = 0;
    for (Index axis = 0; axis < x.size(); ++axis) {
      squared +=
          parameters_.weights[axis] * apart(x[axis], points_(i, axis), categorical_[static_cast<std::size_t>(axis)]);
    }
    alike[i] = parameters_.scale * matern(squared);
  }
  const double variance = parameters_.scale - alike.dot(inverse_.selfadjointView<Eigen::Lower>() * alike);
  return {alike.dot(solved_), std::max(variance, kLeastVariance)};
}

GpRegression::Prediction GpRegression::predict(const VectorXd& x, VectorXd& of_mean, VectorXd& of_variance) const {
  VectorXd alike(points_.rows()), slope(points_.rows());
  for (Index i = 0; i < points_.rows(); ++i) {
    double squared = 0;
    for (Index axis = 0; axis < x.size(); ++axis) {
      squared +=
          parameters_.weights[axis] * apart(x[axis], points_(i, axis), categorical_[static_cast<std::size_t>(axis)]);
    }
    alike[i] = parameters_.scale * matern(squared);
    slope[i] = parameters_.scale * matern_slope(squared);
  }
  const VectorXd through = inverse_.selfadjointView<Eigen::Lower>() * alike;
  for (Index axis = 0; axis < x.size(); ++axis) {
    of_mean[axis] = of_variance[axis] = 0;
    if (categorical_[static_cast<std::size_t>(axis)]) continue;
    const VectorXd change =
        2 * parameters_.weights[axis] * slope.cwiseProduct((x[axis] - points_.col(axis).array()).matrix());
    of_mean[axis] = change.dot(solved_);
    of_variance[axis] = -2 * change.dot(through);
  }
  return {alike.dot(solved_), std::max(parameters_.scale - alike.dot(through), kLeastVariance)};
}

double log_expected_improvement(double mean, double variance, double best, double& by_mean, double& by_variance) {
  const double sigma = std::sqrt(variance), z = (best - mean) / sigma, square = z * z;
  const double log_density = -square / 2 - std::log(2 * std::numbers::pi) / 2;
  double log_h = 0, slope = 0;  // h(z) = φ(z) + z Φ(z), whose derivative is Φ
  if (z > -20) {
    const double below = std::erfc(-z / std::numbers::sqrt2) / 2, h = std::exp(log_density) + z * below;
    log_h = std::log(h);
    slope = below / h;
  } else {
    // φ and zΦ cancel: the asymptotic series of both.
    const double h = 1 - 3 / square + 15 / (square * square), below = 1 - 1 / square + 3 / (square * square);
    log_h = log_density - std::log(square) + std::log(h);
    slope = -z * below / h;
  }
  by_mean = -slope / sigma;
  by_variance = (1 - z * slope) / (2 * variance);
  return std::log(sigma) + log_h;
}

}  // namespace etude::sweep
