#include "analysis/distances.h"

#include <cmath>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/analysis/oracle_music.h"

namespace etude::analysis {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> normal_sample(std::size_t size, double mean, double deviation, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(mean, deviation);
  std::vector<double> values(size);
  for (double& value : values) value = normal(random);
  return values;
}

std::string as_python(const std::vector<double>& values) {
  std::ostringstream text;
  text.precision(17);
  text << '[';
  for (const double value : values) text << value << ',';
  text << ']';
  return text.str();
}

TEST(Distances, EqualSciPys) {
  if (!testing::music_oracle()) GTEST_SKIP() << "script/setup --test installs SciPy";
  const auto a = normal_sample(40, 0.2, 1.0, 1), b = normal_sample(25, 0.9, 0.6, 2);
  const std::vector<double> counts_a{3, 0, 1, 8, 2}, counts_b{0, 0, 4, 1, 7};
  const std::string printed = testing::run_python(
      "import numpy as np\nfrom scipy import integrate, stats\nfrom scipy.spatial.distance import jensenshannon\n"
      "a, b = " +
          as_python(a) + ", " + as_python(b) + "\n" + R"(
p, q = stats.gaussian_kde(a), stats.gaussian_kde(b)
x = np.linspace(-7, 7, 7001)
print(integrate.simpson(np.minimum(p(x), q(x)), x=x))
print(integrate.simpson(p(x) * (p.logpdf(x) - q.logpdf(x)), x=x))
print(stats.wasserstein_distance(a, b))
intra = [abs(r - s) for i, r in enumerate(b) for j, s in enumerate(b) if i != j]
inter = [abs(r - g) for r in b for g in a]
p, q = stats.gaussian_kde(intra), stats.gaussian_kde(inter)
print(integrate.simpson(np.minimum(p(x), q(x)), x=x))
print(integrate.simpson(p(x) * (p.logpdf(x) - q.logpdf(x)), x=x))
)" + "print(jensenshannon(" +
          as_python(counts_a) + ", " + as_python(counts_b) + ", 2))\n",
      {}, *testing::music_oracle());
  std::istringstream lines(printed);
  double area = 0, divergence = 0, moved = 0, set_area = 0, set_divergence = 0, shannon = 0;
  lines >> area >> divergence >> moved >> set_area >> set_divergence >> shannon;
  EXPECT_NEAR(overlap(a, b), area, 3e-5);
  EXPECT_NEAR(kullback_leibler(a, b), divergence, 1e-6);
  EXPECT_NEAR(wasserstein(a, b), moved, 1e-12);
  const SetComparison sets = compare_sets(a, b);
  EXPECT_NEAR(sets.overlap, set_area, 3e-5);
  EXPECT_NEAR(sets.divergence, set_divergence, 1e-6);
  EXPECT_NEAR(jensen_shannon(counts_a, counts_b), shannon, 1e-12);
}

TEST(Distances, OfASampleToItselfAreNothing) {
  const auto a = normal_sample(30, 5, 2, 3);
  EXPECT_NEAR(overlap(a, a), 1, 1e-9);
  EXPECT_NEAR(kullback_leibler(a, a), 0, 1e-9);
  EXPECT_EQ(wasserstein(a, a), 0);
  EXPECT_EQ(jensen_shannon(a, a), 0);
}

TEST(Distances, StaySensibleForValuesWithoutSpread) {
  const std::vector<double> sevens{7, 7, 7}, one_seven{7}, eights{8, 8}, around{6, 7, 8};
  EXPECT_EQ(overlap(sevens, one_seven), 1);
  EXPECT_EQ(overlap(sevens, eights), 0);
  EXPECT_EQ(kullback_leibler(sevens, one_seven), 0);
  EXPECT_EQ(kullback_leibler(sevens, eights), std::numeric_limits<double>::infinity());
  EXPECT_EQ(wasserstein(sevens, eights), 1);
  // A spike takes the other's width, so that it is partly covered instead of not at all.
  EXPECT_GT(overlap(sevens, around), 0.5);
  EXPECT_LT(overlap(sevens, around), 0.9);
  EXPECT_TRUE(std::isfinite(kullback_leibler(around, sevens)));
}

TEST(Distances, DoNotTakeRoundingForSpread) {
  const double x = 0.1 + 0.2;
  const std::vector<double> rounded{0.3, x, 0.3}, other{x, x}, far{0.4, 0.4};
  EXPECT_EQ(overlap(rounded, other), 1);
  EXPECT_EQ(kullback_leibler(rounded, other), 0);
  EXPECT_EQ(overlap(rounded, far), 0);
  EXPECT_EQ(compare_sets(other, rounded).overlap, 1);
}

TEST(Distances, OfNothingAreUndefined) {
  const std::vector<double> none, undefined{kNan, kNan}, some{1, 2}, zeros{0, 0};
  EXPECT_TRUE(std::isnan(overlap(none, some)));
  EXPECT_TRUE(std::isnan(kullback_leibler(some, undefined)));
  EXPECT_TRUE(std::isnan(wasserstein(none, none)));
  EXPECT_TRUE(std::isnan(jensen_shannon(zeros, some)));
  EXPECT_TRUE(std::isnan(compare_sets(some, std::vector<double>{1}).overlap));
  EXPECT_TRUE(std::isnan(compare_sets(none, some).divergence));
}

TEST(Distances, PassOverUndefinedValues) {
  const std::vector<double> clean{1, 2, 4}, holed{1, kNan, 2, 4, kNan}, other{2, 3};
  EXPECT_EQ(overlap(clean, other), overlap(holed, other));
  EXPECT_EQ(wasserstein(clean, other), wasserstein(holed, other));
}

TEST(Distances, StayFiniteForSamplesFarApart) {
  const std::vector<double> near{1, 2}, far{1e9, 1e9 + 1};
  EXPECT_NEAR(overlap(near, far), 0, 1e-12);
  EXPECT_GT(kullback_leibler(near, far), 1e15);
  EXPECT_TRUE(std::isfinite(kullback_leibler(near, far)));
}

TEST(Distances, OfManyValuesMoveLittleByThinning) {
  const auto a = normal_sample(20'000, 0, 1, 5), b = normal_sample(20'000, 1, 1, 6);
  // Two normal curves one deviation apart cover each other by 2 * Phi(-1/2) = 0.6171; Scott's width blurs a little.
  EXPECT_NEAR(overlap(a, b), 0.6171, 0.02);
}

TEST(Distances, AreRefusedForHistogramsOfDifferentClasses) {
  EXPECT_THROW(jensen_shannon(std::vector<double>{1, 2}, std::vector<double>{1}), std::invalid_argument);
}

}  // namespace
}  // namespace etude::analysis
