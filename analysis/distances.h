#pragma once

#include <span>
#include <vector>

namespace etude::analysis {

/// How far two samples, or two histograms, lie apart. Values that are not finite are left out of a sample; what is
/// undefined (an empty sample, a histogram of nothing) is nan. A sample's order does not matter.

/// A smooth density of a sample: the mean of normal curves around its values, as wide as Scott's rule says
/// (deviation * n^(-1/5), the deviation with n - 1; Scott 1992). A sample without spread has no width of its
/// own and is given `fallback`. Of more than 2,000 values every so many, in order, stand for all.
class Density {
 public:
  explicit Density(std::span<const double> values, double fallback = 0);
  /// 0 when neither the values nor the fallback give one: the density is a single spike then.
  double width() const { return width_; }
  bool empty() const { return centres_.empty(); }
  double lowest() const { return centres_.front(); }
  double highest() const { return centres_.back(); }
  /// Natural logarithm of the density at x; finite wherever `x` is. Only for a width above 0.
  double log_at(double x) const;

 private:
  std::vector<double> centres_;  ///< ascending
  double width_ = 0;
};

/// Area under the lower one of the two samples' densities: 1 when they are alike, 0 when they have nothing in common
/// ("overlapping area", Yang and Lerch 2020). If one sample has no spread, it takes the other's width; if
/// neither has, 1 for equal and 0 for different values.
double overlap(std::span<const double> a, std::span<const double> b);

/// Kullback-Leibler divergence of b's density from a's, the integral of a ln(a / b), in nats; 0 or more. Infinity for
/// two different samples that both have no spread.
double kullback_leibler(std::span<const double> a, std::span<const double> b);

/// The least mean way that values of `a` have to be moved to become `b` (Wasserstein-1, "earth mover's distance"), in
/// the values' unit.
double wasserstein(std::span<const double> a, std::span<const double> b);

/// Yang and Lerch's comparison of a generated set with a reference ("On the evaluation of generative models in music",
/// Neural Computing and Applications 32, 2020): the differences of each reference piece to the others of
/// the reference, against those to each generated piece. Nan with fewer than two reference pieces.
struct SetComparison {
  double overlap = 0;     ///< of the densities of both kinds of difference
  double divergence = 0;  ///< Kullback-Leibler, of the inter-set differences from the intra-set ones, nats
};
SetComparison compare_sets(std::span<const double> generated, std::span<const double> reference);

/// Jensen-Shannon distance of two histograms of the same classes, which need not be normalised: the root of the
/// divergence in bits (Lin 1991; Endres and Schindelin 2003), 0 for the same shares, 1 for no class in common. Throws
/// std::invalid_argument when the numbers of classes differ.
double jensen_shannon(std::span<const double> a, std::span<const double> b);

}  // namespace etude::analysis
