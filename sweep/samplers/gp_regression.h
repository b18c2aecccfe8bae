#pragma once

#include <vector>

#include <Eigen/Cholesky>
#include <Eigen/Core>

namespace etude::sweep {

/// What decides how alike two places are.
struct GpParameters {
  Eigen::VectorXd weights;  ///< of each axis: the inverse square of its length
  double scale = 1;         ///< the variance of the function
  double noise = 1e-4;      ///< the variance of what is measured of it
};

/// Gaussian process regression with the Matérn 5/2 kernel (Rasmussen and Williams 2006, equation 4.17) over
///   r² = Σ weight (x - x')²   where an axis is a number, and weight [x ≠ x'] where it is a choice.
/// The mean before anything is known is 0.
class GpRegression {
 public:
  /// `points` [count, axes]; `categorical` [axes].
  GpRegression(Eigen::MatrixXd points, Eigen::VectorXd values, std::vector<bool> categorical, GpParameters parameters);

  /// The parameters of greatest posterior density, which are sought by gradient from a fixed start. The densities
  /// before, of values that were standardized: weights around 1 with log-density -0.1 (w + 1/w), scale Gamma(2, 1),
  /// noise Gamma(1.1, 30).
  static GpParameters fit(const Eigen::MatrixXd& points, const Eigen::VectorXd& values,
                          const std::vector<bool>& categorical);

  struct Prediction {
    double mean = 0;
    double variance = 0;  ///< of the function, without noise
  };
  Prediction predict(const Eigen::VectorXd& x) const;
  /// The same with how both change with x; 0 along axes of choices.
  Prediction predict(const Eigen::VectorXd& x, Eigen::VectorXd& of_mean, Eigen::VectorXd& of_variance) const;

 private:
  Eigen::MatrixXd points_;
  std::vector<bool> categorical_;
  GpParameters parameters_;
  Eigen::VectorXd solved_;   ///< K⁻¹ y
  Eigen::MatrixXd inverse_;  ///< K⁻¹
};

/// The logarithm of the improvement over `best` (less is better) that is to be expected of a normal of that mean and
/// variance, exact also where it is far below what a double holds (Ament et al. 2023, arXiv:2310.20708); writes its
/// derivatives by mean and variance.
double log_expected_improvement(double mean, double variance, double best, double& by_mean, double& by_variance);

}  // namespace etude::sweep
