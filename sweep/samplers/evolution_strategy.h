#pragma once

#include <cstddef>
#include <vector>

#include <Eigen/Core>

#include "sweep/random.h"

namespace etude::sweep {

/// Covariance matrix adaptation: a normal distribution over the unit cube that moves to where points are good and
/// stretches along directions that paid (N. Hansen, "The CMA Evolution Strategy: A Tutorial", arXiv:1604.00772v1; the
/// equations named in the code are its own). Holds no randomness: what it is told decides all of it.
class EvolutionStrategy {
 public:
  /// `cells`: how wide one value is along each coordinate, 0 for a continuum. The distribution is kept wide enough to
  /// leave a cell.
  EvolutionStrategy(Eigen::VectorXd mean, double sigma, std::size_t population, Eigen::VectorXd cells);

  /// 4 + 3 ln n, Table 1.
  static std::size_t default_population(std::size_t dimensions);

  /// A point within the unit cube.
  Eigen::VectorXd sample(Random& random) const;
  /// One generation: `population()` points, the best first, and their losses.
  void tell(const std::vector<Eigen::VectorXd>& ranked, const std::vector<double>& losses);
  /// Whether nothing is to be gained any more (Section B.3): no spread left, no differences, or numbers out of hand.
  bool converged() const;

  std::size_t population() const { return population_; }
  const Eigen::VectorXd& mean() const { return mean_; }
  double sigma() const { return sigma_; }

 private:
  void weigh();
  void decompose();
  void keep_leaving_cells();

  std::size_t population_;
  std::size_t parents_;          ///< mu
  std::vector<double> weights_;  ///< those of the worse half are negative (active CMA)
  double mass_ = 0;              ///< mu_eff
  double c_sigma_ = 0, d_sigma_ = 0, c_c_ = 0, c_1_ = 0, c_mu_ = 0;
  double expected_length_ = 0;  ///< of a normal vector

  Eigen::VectorXd mean_, cells_;
  double sigma_, initial_sigma_;
  Eigen::MatrixXd covariance_;
  Eigen::MatrixXd axes_;     ///< eigenvectors of the covariance
  Eigen::VectorXd lengths_;  ///< square roots of its eigenvalues
  Eigen::VectorXd path_sigma_, path_c_;
  std::size_t generation_ = 0;
  std::vector<double> best_losses_;  ///< of each generation
  double last_spread_ = 1;           ///< between the losses of the last generation
};

}  // namespace etude::sweep
