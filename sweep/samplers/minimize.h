#pragma once

#include <functional>

#include <Eigen/Core>

namespace etude::sweep {

/// A function that also writes its gradient, which has the size of `x` already.
using Differentiable = std::function<double(const Eigen::VectorXd& x, Eigen::VectorXd& gradient)>;

/// The least place that a descent from `x` comes to within the box: L-BFGS (Nocedal and Wright, algorithm 7.4) whose
/// steps are projected onto the box, coordinates that push against a bound left out.
Eigen::VectorXd minimize(const Differentiable& function, Eigen::VectorXd x, const Eigen::VectorXd& low,
                         const Eigen::VectorXd& high, int iterations);

}  // namespace etude::sweep
