#pragma once

#include <cstddef>
#include <vector>

#include "sweep/distribution.h"
#include "sweep/random.h"

namespace etude::sweep {

/// A point of some parameters: of each its place in [0, 1] along its scale (unit_cube.h), or the index of its choice.
using Places = std::vector<double>;

/// Points with their weights.
struct Cloud {
  std::vector<Places> along;  ///< along[j][k]: of parameter j in point k
  std::vector<double> weights;
};

/// How smooth a density is taken to be.
struct Smoothing {
  double prior = 1;          ///< weight of the prior beside the mean weight of a point
  double sharpness = 1;      ///< how far below range / (points + 2) a kernel may shrink
  double other_choices = 4;  ///< weight of all other choices beside that of a kernel's own, shared among the points
};

/// The density that Tree-structured Parzen Estimators (Bergstra et al. 2011, section 4) draw from and compare: a
/// mixture with a kernel at each point and one for the prior, of the middle and the width of the range; each kernel the
/// product over the parameters (Falkner, Klein and Hutter 2018) of a normal cut off at the ends of the range, or of a
/// choice that is mostly its own. A kernel is as wide along a parameter as the greater gap to its neighbours there, and
/// at least range / min(100, sharpness * (points + 2)).
class TpeDensity {
 public:
  TpeDensity(std::vector<const Distribution*> parameters, Cloud cloud, const Smoothing& smoothing);

  /// A point, its places those of values that the distributions have.
  Places draw(Random& random) const;
  /// Up to a constant that all densities over the same parameters share.
  double log_density(const Places& point) const;

 private:
  /// One parameter's part of all kernels, the prior's last.
  struct Axis {
    const Distribution* distribution;
    std::vector<double> centres;
    std::vector<double> widths;          ///< of a number
    std::vector<double> inverse_widths;  ///< with a value's own cell taken in
    double same = 0, other = 0;          ///< of a choice: the kernel's share of its own, and of each other
  };

  void shape_numbers(Axis& axis, double sharpness);
  void shape_choices(Axis& axis, double other_choices);
  std::vector<double> gaps(const std::vector<double>& centres, double sharpness) const;

  std::size_t points_;
  std::vector<double> cumulative_;  ///< weights of the kernels, added up to 1
  std::vector<double> log_scales_;  ///< of the kernels: weight over volume
  std::vector<Axis> axes_;
};

}  // namespace etude::sweep
