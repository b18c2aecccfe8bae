#pragma once

#include <cstddef>
#include <vector>

#include "sweep/random.h"

namespace etude::sweep {

/// Points and what was measured there.
struct Samples {
  struct Axis {
    std::size_t choices = 0;  ///< 0: a number within [0, 1]; else `at` holds indices of so many choices
    std::vector<double> at;   ///< of each point
  };
  std::vector<Axis> axes;
  std::vector<double> values;
};

/// A regression tree, grown until it fits (CART; Breiman et al. 1984), as the boxes that it divides the space into.
class RegressionTree {
 public:
  /// Grown from a bootstrap sample.
  RegressionTree(const Samples& samples, Random& random);

  /// Over the whole space, every point and choice as likely as any other.
  double variance() const;
  /// Of the mean over all other axes, as a function of this one.
  double marginal_variance(std::size_t axis) const;

 private:
  struct Range {
    double low = 0, high = 1;
    std::vector<bool> choices;  ///< which ones; empty for a number
    double share() const;       ///< of the axis
  };
  struct Leaf {
    double value = 0;
    double volume = 1;
    std::vector<Range> box;
  };
  struct Split;
  struct Node;
  void grow(const Samples& samples, const std::vector<double>& weights, Node node, Random& random);
  double mean() const;

  std::vector<Leaf> leaves_;
};

}  // namespace etude::sweep
