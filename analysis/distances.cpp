#include "analysis/distances.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <numeric>
#include <stdexcept>

namespace etude::analysis {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMostCentres = 2000;

std::vector<double> sorted_finite(std::span<const double> values) {
  std::vector<double> finite;
  finite.reserve(values.size());
  std::copy_if(values.begin(), values.end(), std::back_inserter(finite), [](double x) { return std::isfinite(x); });
  std::sort(finite.begin(), finite.end());
  return finite;
}

/// Whether two figures differ by rounding at most.
bool alike(double a, double b) { return std::abs(a - b) <= 1e-12 * std::max(std::abs(a), std::abs(b)); }

double scott_width(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  if (values.size() < 2 || alike(values.front(), values.back())) return 0;
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double x : values) squares += (x - mean) * (x - mean);
  return std::sqrt(squares / (n - 1)) * std::pow(n, -0.2);
}

/// Values in order, thinned evenly from the middle of each of kMostCentres equal parts.
std::vector<double> thinned(std::vector<double> sorted) {
  if (sorted.size() <= kMostCentres) return sorted;
  std::vector<double> kept(kMostCentres);
  for (std::size_t i = 0; i < kMostCentres; ++i) kept[i] = sorted[(2 * i + 1) * sorted.size() / (2 * kMostCentres)];
  return kept;
}

/// Two densities that are comparable, each with a width above 0.
struct Pair {
  Density a;
  Density b;
};

Pair densities(std::span<const double> a, std::span<const double> b) {
  const double width_a = Density(a).width(), width_b = Density(b).width();
  return {Density(a, width_b), Density(b, width_a)};
}

/// Integral over the line of a function of the two densities' logarithms, by the trapezoidal rule, in steps much
/// shorter than the narrower of them.
template <typename Function>
double integrate(const Pair& pair, Function function) {
  constexpr double kTail = 8;           // in widths: what lies beyond is below 1e-15 of the whole
  constexpr double kStepsInWidth = 16;  // exact for a normal curve; a kink of the lower one of two costs 1e-5
  constexpr double kMostSteps = 20'000;
  // Each density's own surroundings in fine steps: two far narrow ones have nothing between them.
  const auto stretch = [&](double begin, double end) {
    const double step = std::min(pair.a.width(), pair.b.width()) / kStepsInWidth;
    const double steps = std::clamp(std::ceil((end - begin) / step), 1.0, kMostSteps);
    double sum = 0;
    for (double i = 0; i <= steps; ++i) {
      const double x = begin + (end - begin) * i / steps;
      const double value = function(pair.a.log_at(x), pair.b.log_at(x));
      sum += i == 0 || i == steps ? value / 2 : value;
    }
    return sum * (end - begin) / steps;
  };
  const double begin_a = pair.a.lowest() - kTail * pair.a.width(), end_a = pair.a.highest() + kTail * pair.a.width();
  const double begin_b = pair.b.lowest() - kTail * pair.b.width(), end_b = pair.b.highest() + kTail * pair.b.width();
  if (end_a < begin_b || end_b < begin_a) return stretch(begin_a, end_a) + stretch(begin_b, end_b);
  return stretch(std::min(begin_a, begin_b), std::max(end_a, end_b));
}

/// All differences between a value of one and a value of the other; `same` leaves out each value's one to itself.
std::vector<double> differences(const std::vector<double>& a, const std::vector<double>& b, bool same) {
  std::vector<double> all;
  all.reserve(a.size() * b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < b.size(); ++j) {
      if (!same || i != j) all.push_back(alike(a[i], b[j]) ? 0 : std::abs(a[i] - b[j]));
    }
  }
  return all;
}

double sum_of(std::span<const double> counts) {
  const double sum = std::accumulate(counts.begin(), counts.end(), 0.0);
  return sum > 0 ? sum : kNan;
}

}  // namespace

Density::Density(std::span<const double> values, double fallback) {
  centres_ = sorted_finite(values);
  width_ = scott_width(centres_);
  if (width_ == 0) width_ = fallback;
  centres_ = thinned(std::move(centres_));
}

double Density::log_at(double x) const {
  // The nearest centre's exponent is taken out of the sum, which then lies between 1 and n however far away x is.
  const auto above = std::lower_bound(centres_.begin(), centres_.end(), x);
  double nearest = std::numeric_limits<double>::infinity();
  if (above != centres_.end()) nearest = *above - x;
  if (above != centres_.begin()) nearest = std::min(nearest, x - *std::prev(above));
  const auto exponent = [this](double distance) { return -0.5 * (distance / width_) * (distance / width_); };
  const double greatest = exponent(nearest);
  constexpr double kNegligible = -40;  // e^-40 of the greatest term
  double sum = 0;
  const auto add = [&](double centre) {
    const double relative = exponent(centre - x) - greatest;
    if (relative > kNegligible) sum += std::exp(relative);
    return relative > kNegligible;
  };
  for (auto centre = above; centre != centres_.end() && add(*centre); ++centre) {
  }
  for (auto centre = above; centre != centres_.begin() && add(*std::prev(centre)); --centre) {
  }
  const double scale = static_cast<double>(centres_.size()) * width_ * std::sqrt(2 * std::numbers::pi);
  return greatest + std::log(sum / scale);
}

double overlap(std::span<const double> a, std::span<const double> b) {
  const Pair pair = densities(a, b);
  if (pair.a.empty() || pair.b.empty()) return kNan;
  if (pair.a.width() == 0) return alike(pair.a.lowest(), pair.b.lowest()) ? 1 : 0;
  const double area = integrate(pair, [](double log_a, double log_b) { return std::exp(std::min(log_a, log_b)); });
  return std::min(1.0, area);
}

double kullback_leibler(std::span<const double> a, std::span<const double> b) {
  const Pair pair = densities(a, b);
  if (pair.a.empty() || pair.b.empty()) return kNan;
  if (pair.a.width() == 0) return alike(pair.a.lowest(), pair.b.lowest()) ? 0 : std::numeric_limits<double>::infinity();
  const double divergence =
      integrate(pair, [](double log_a, double log_b) { return std::exp(log_a) * (log_a - log_b); });
  return std::max(0.0, divergence);
}

double wasserstein(std::span<const double> a, std::span<const double> b) {
  const std::vector<double> left = sorted_finite(a), right = sorted_finite(b);
  if (left.empty() || right.empty()) return kNan;
  // The area between the two cumulative distributions: both are walked through value by value.
  double area = 0, at = std::min(left.front(), right.front());
  for (std::size_t i = 0, j = 0; i < left.size() || j < right.size();) {
    const bool take_left = j == right.size() || (i < left.size() && left[i] <= right[j]);
    const double next = take_left ? left[i] : right[j];
    const double below = static_cast<double>(i) / static_cast<double>(left.size());
    area += (next - at) * std::abs(below - static_cast<double>(j) / static_cast<double>(right.size()));
    at = next;
    ++(take_left ? i : j);
  }
  return area;
}

SetComparison compare_sets(std::span<const double> generated, std::span<const double> reference) {
  const std::vector<double> ours = thinned(sorted_finite(generated)), theirs = thinned(sorted_finite(reference));
  if (ours.empty() || theirs.size() < 2) return {kNan, kNan};
  const std::vector<double> intra = differences(theirs, theirs, true);
  const std::vector<double> inter = differences(theirs, ours, false);
  return {overlap(intra, inter), kullback_leibler(intra, inter)};
}

double jensen_shannon(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size()) throw std::invalid_argument("jensen_shannon: the histograms have different classes");
  const double sum_a = sum_of(a), sum_b = sum_of(b);
  const auto term = [](double share, double middle) { return share > 0 ? share * std::log2(share / middle) : 0.0; };
  double divergence = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double share_a = a[i] / sum_a, share_b = b[i] / sum_b, middle = (share_a + share_b) / 2;
    divergence += (term(share_a, middle) + term(share_b, middle)) / 2;
  }
  if (std::isnan(sum_a) || std::isnan(sum_b)) return kNan;
  return std::sqrt(std::clamp(divergence, 0.0, 1.0));
}

}  // namespace etude::analysis
