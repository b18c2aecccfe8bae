#include "sweep/samplers/tpe_density.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "sweep/samplers/unit_cube.h"

namespace etude::sweep {
namespace {

constexpr double kMostKernels = 100;  ///< from where on kernels stay as wide as they are
constexpr double kNegligible = 30;    ///< logarithm of a share that no sum notices
constexpr double kFar = 6;            ///< standard deviations beyond which a normal has nothing

/// Of the values at this place, as a share of the range; 0 for a continuum.
double cell_width(const Distribution& distribution, const Scale& scale, double place) {
  if (!distribution.step || scale.width() <= 0) return 0;
  if (!distribution.log) return *distribution.step / scale.width();
  const double value = from_scale(distribution, scale.low + place * scale.width());
  return std::log((value + 0.5) / (value - 0.5)) / scale.width();
}

/// What a normal has beyond `deviations` above its mean.
double tail(double deviations) { return deviations > kFar ? 0 : 0.5 * std::erfc(deviations / std::numbers::sqrt2); }

}  // namespace

TpeDensity::TpeDensity(std::vector<const Distribution*> parameters, Cloud cloud, const Smoothing& smoothing)
    : points_(cloud.weights.size()) {
  const double given = std::accumulate(cloud.weights.begin(), cloud.weights.end(), 0.0);
  cloud.weights.push_back(points_ == 0 ? 1 : smoothing.prior * given / static_cast<double>(points_));
  const double total = given + cloud.weights.back();
  double sum = 0;
  for (const double weight : cloud.weights) {
    cumulative_.push_back(sum += weight / total);
    log_scales_.push_back(std::log(weight / total));
  }
  for (std::size_t j = 0; j < parameters.size(); ++j) {
    Axis axis{parameters[j], std::move(cloud.along[j]), {}, {}};
    if (axis.distribution->is_categorical()) {
      shape_choices(axis, smoothing.other_choices);
    } else {
      shape_numbers(axis, smoothing.sharpness);
    }
    axes_.push_back(std::move(axis));
  }
}

std::vector<double> TpeDensity::gaps(const std::vector<double>& centres, double sharpness) const {
  const std::size_t n = centres.size();
  std::vector<std::pair<double, std::size_t>> order;  // by value too, for the sake of the cache
  order.reserve(n);
  for (std::size_t k = 0; k < n; ++k) order.emplace_back(centres[k], k);
  std::sort(order.begin(), order.end());
  const double least = 1 / std::min(kMostKernels, sharpness * static_cast<double>(n + 2));
  std::vector<double> widths(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto [here, k] = order[i];
    const bool first = i == 0, last = i + 1 == n;
    double below = first ? here : here - order[i - 1].first;
    double above = last ? 1 - here : order[i + 1].first - here;
    if (n > 1 && first) below = above;  // the ends of the range are no neighbours
    if (n > 1 && last) above = below;
    widths[k] = std::clamp(std::max(below, above), least, 1.0);
  }
  return widths;
}

void TpeDensity::shape_numbers(Axis& axis, double sharpness) {
  axis.widths = gaps(axis.centres, sharpness);
  axis.centres.push_back(0.5);
  axis.widths.push_back(1);
  const Scale scale(*axis.distribution);
  for (std::size_t k = 0; k <= points_; ++k) {
    // The mass of a value's cell is the density of normal plus uniform at its middle, nearly.
    const double cell = cell_width(*axis.distribution, scale, axis.centres[k]);
    const double width = std::sqrt(axis.widths[k] * axis.widths[k] + cell * cell / 12);
    const double inside = 1 - tail(axis.centres[k] / width) - tail((1 - axis.centres[k]) / width);
    axis.inverse_widths.push_back(1 / width);
    log_scales_[k] -= std::log(width * inside);
  }
}

void TpeDensity::shape_choices(Axis& axis, double other_choices) {
  const auto choices = static_cast<double>(axis.distribution->choices.size());
  const double share = other_choices / static_cast<double>(points_ + 1);
  axis.same = (1 + share) / (1 + share * choices);
  axis.other = share / (1 + share * choices);
  axis.centres.push_back(-1);  // no choice is the prior's own
  log_scales_.back() -= std::log(choices * axis.other);
}

Places TpeDensity::draw(Random& random) const {
  const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end(), random.uniform());
  const auto kernel = std::min(static_cast<std::size_t>(found - cumulative_.begin()), points_);
  Places point;
  for (const Axis& axis : axes_) {
    const double centre = axis.centres[kernel];
    if (axis.distribution->is_categorical()) {
      const auto choices = axis.distribution->choices.size();
      const bool own = kernel < points_ && random.uniform() < axis.same - axis.other;
      point.push_back(own ? centre : static_cast<double>(random.below(choices)));
      continue;
    }
    double place = -1;  // at least a third of the draws lie within the range, since no kernel is wider
    while (!(place >= 0 && place <= 1)) place = centre + axis.widths[kernel] * random.normal();
    point.push_back(to_unit(*axis.distribution, from_unit(*axis.distribution, place)));
  }
  return point;
}

double TpeDensity::log_density(const Places& point) const {
  std::vector<double> terms = log_scales_;
  for (std::size_t j = 0; j < axes_.size(); ++j) {
    const Axis& axis = axes_[j];
    const double place = point[j];
    if (axis.distribution->is_categorical()) {
      const double same = std::log(axis.same), other = std::log(axis.other);
      for (std::size_t k = 0; k <= points_; ++k) terms[k] += axis.centres[k] == place ? same : other;
      continue;
    }
    for (std::size_t k = 0; k <= points_; ++k) {
      const double deviations = (place - axis.centres[k]) * axis.inverse_widths[k];
      terms[k] -= 0.5 * deviations * deviations;
    }
  }
  const double greatest = *std::max_element(terms.begin(), terms.end());
  double sum = 0;
  for (const double term : terms) {
    if (term > greatest - kNegligible) sum += std::exp(term - greatest);
  }
  return greatest + std::log(sum);
}

}  // namespace etude::sweep
