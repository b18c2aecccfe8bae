#include "sweep/samplers/gaussian_process.h"

#include <cmath>
#include <limits>
#include <numbers>
#include <set>

#include <gtest/gtest.h>

#include "sweep/samplers/gp_regression.h"
#include "sweep/samplers/minimize.h"
#include "tests/sweep/playground.h"

namespace etude::sweep {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

GpRegression example() {
  const MatrixXd points{{.1, .2, 0}, {.4, .9, 1}, {.8, .3, 2}, {.55, .5, 1}, {.9, .95, 0}};
  const VectorXd values{{.3, -1.2, .8, -.4, .5}};
  return {points, values, {false, false, true}, {VectorXd{{4, 1.5, .7}}, 1.3, .05}};
}

// Solved with numpy from the textbook's formulas.
TEST(GpRegression, PredictsAsTheFormulasDo) {
  const GpRegression model = example();
  const auto near = model.predict(VectorXd{{.5, .6, 1}}), far = model.predict(VectorXd{{.2, .8, 2}});
  EXPECT_NEAR(near.mean, -0.6417832617823648, 1e-12);
  EXPECT_NEAR(near.variance, 0.04593535812953209, 1e-12);
  EXPECT_NEAR(far.mean, -0.32094692025582083, 1e-12);
  EXPECT_NEAR(far.variance, 0.7739773030766304, 1e-12);
}

TEST(GpRegression, ItsSlopesAreThoseOfItsPredictions) {
  const GpRegression model = example();
  const VectorXd x{{.33, .61, 1}};
  VectorXd of_mean(3), of_variance(3);
  model.predict(x, of_mean, of_variance);
  constexpr double kStep = 1e-6;
  for (int axis = 0; axis < 2; ++axis) {
    VectorXd up = x, down = x;
    up[axis] += kStep;
    down[axis] -= kStep;
    EXPECT_NEAR(of_mean[axis], (model.predict(up).mean - model.predict(down).mean) / (2 * kStep), 1e-8);
    EXPECT_NEAR(of_variance[axis], (model.predict(up).variance - model.predict(down).variance) / (2 * kStep), 1e-8);
  }
}

double halton(int place, int base) {
  double share = 1, sum = 0;
  for (int rest = place + 1; rest > 0; rest /= base) {
    share /= base;
    sum += share * (rest % base);
  }
  return sum;
}

// scipy 1.17.1's L-BFGS-B over the same posterior, the best of three starts.
TEST(GpRegression, FitsTheParametersThatScipyFinds) {
  MatrixXd points(24, 3);
  VectorXd values(24);
  for (int i = 0; i < 24; ++i) {
    points.row(i) << halton(i, 2), halton(i, 3), i % 3;
    values[i] = std::sin(6 * points(i, 0)) + .3 * points(i, 1) + (i % 3 == 2 ? .5 : 0);
  }
  values.array() -= values.mean();
  values /= std::sqrt(values.squaredNorm() / 24);
  const GpParameters found = GpRegression::fit(points, values, {false, false, true});
  EXPECT_NEAR(found.weights[0], 3.717, 0.04);
  EXPECT_NEAR(found.weights[1], 0.0699, 0.002);
  EXPECT_NEAR(found.weights[2], 0.0509, 0.002);
  EXPECT_NEAR(found.scale, 1.515, 0.02);
  EXPECT_LT(found.noise, 1e-3);
}

// The integral of (best - f) over the normal, by scipy's quad; below z = -19 by mpmath with 60 digits.
TEST(LogExpectedImprovement, IsTheLogarithmOfTheIntegral) {
  double by_mean = 0, by_variance = 0;
  EXPECT_NEAR(log_expected_improvement(.5, .25, .2, by_mean, by_variance), -2.4729421176616992, 1e-12);
  EXPECT_NEAR(log_expected_improvement(-1, 2, 0, by_mean, by_variance), 0.18202253573681865, 1e-12);
  EXPECT_NEAR(log_expected_improvement(19.9, 1, 0, by_mean, by_variance), -204.91288769492166, 1e-9);
  EXPECT_NEAR(log_expected_improvement(20.1, 1, 0, by_mean, by_variance), -208.93274041662462, 1e-5);
  EXPECT_NEAR(log_expected_improvement(1000, 1, 0, by_mean, by_variance), -500014.73445209116, 1e-6);
  for (const double mean : {-1.0, 0.5, 6.0, 30.0}) {
    constexpr double kStep = 1e-5;
    double unused = 0, none = 0;
    log_expected_improvement(mean, .8, .2, by_mean, by_variance);
    const auto at = [&](double m, double v) { return log_expected_improvement(m, v, .2, unused, none); };
    EXPECT_NEAR(by_mean, (at(mean + kStep, .8) - at(mean - kStep, .8)) / (2 * kStep), 1e-5 * std::abs(by_mean));
    EXPECT_NEAR(by_variance, (at(mean, .8 + kStep) - at(mean, .8 - kStep)) / (2 * kStep), 1e-4 * std::abs(by_variance));
  }
}

// Rosenbrock's valley: the least is at (1, 1), and at (0.8, 0.64) in a box that ends there.
TEST(Minimize, FollowsAValleyAndKeepsWithinItsBox) {
  const Differentiable valley = [](const VectorXd& x, VectorXd& gradient) {
    const double a = 1 - x[0], b = x[1] - x[0] * x[0];
    gradient << -2 * a - 400 * x[0] * b, 200 * b;
    return a * a + 100 * b * b;
  };
  const VectorXd start{{-1.2, 1}}, low = VectorXd::Constant(2, -2);
  const VectorXd free = minimize(valley, start, low, VectorXd::Constant(2, 2), 200);
  EXPECT_NEAR(free[0], 1, 1e-3);
  EXPECT_NEAR(free[1], 1, 1e-3);
  const VectorXd bound = minimize(valley, start, low, VectorXd{{0.8, 2}}, 200);
  EXPECT_NEAR(bound[0], 0.8, 1e-6);
  EXPECT_NEAR(bound[1], 0.64, 1e-3);
}

double branin(const Assignment& values) {
  const double x = values.at("x0"), y = values.at("x1"), pi = std::numbers::pi;
  return std::pow(y - 5.1 / (4 * pi * pi) * x * x + 5 / pi * x - 6, 2) + 10 * (1 - 1 / (8 * pi)) * std::cos(x) + 10;
}

TEST(GaussianProcess, FindsTheLeastOfBraninInFortyTrials) {
  SearchSpace space;
  space.entries = {{"x0", shared(Distribution::real(-5, 10)), {}}, {"x1", shared(Distribution::real(0, 15)), {}}};
  Playground ground{space};
  const auto sampler = make_sampler("gp");
  ground.run(*sampler, 40, [](const Assignment& values) { return std::vector{branin(values)}; });
  EXPECT_LT(ground.best() - 0.397887, 0.01);
}

TEST(GaussianProcess, SearchesMixedAndConditionalSpacesWithoutRepeatingItself) {
  SearchSpace space;
  space.entries.push_back({"kind", shared(Distribution::categorical({"a", "b", "c"})), {}});
  space.entries.push_back({"layers", shared(Distribution::integer(1, 8)), {}});
  space.entries.push_back({"memory", shared(Distribution::integer(64, 512, false, 64)), {{"kind", {1.0}}}});
  space.entries.push_back({"only", shared(Distribution::categorical({"one"})), {}});
  Playground ground{space, {Direction::kMaximize}};
  const auto sampler = make_sampler("gp");
  std::set<Assignment> late;
  for (int i = 0; i < 50; ++i) {
    const Suggestion suggestion = ground.ask(*sampler);
    ASSERT_EQ(suggestion.values.contains("memory"), suggestion.values.at("kind") == 1.0);
    for (const auto& [name, value] : suggestion.values) ASSERT_TRUE(space.find(name)->distribution->contains(value));
    if (i >= 10) late.insert(suggestion.values);
    const double memory = suggestion.values.contains("memory") ? suggestion.values.at("memory") : 0;
    Playground::end(ground.begin(suggestion),
                    {-std::abs(suggestion.values.at("layers") - 5) - std::abs(memory - 320) / 64});
  }
  EXPECT_EQ(late.size(), 40u);
  const auto best = std::max_element(ground.trials.begin(), ground.trials.end(),
                                     [](const Trial& a, const Trial& b) { return a.values < b.values; });
  EXPECT_EQ(best->values.front(), 0);
}

TEST(GaussianProcess, TrialsThatRunAreNotProposedAgain) {
  Playground ground{cube(2, Distribution::real(0, 1))};
  const auto sampler = make_sampler("gp");
  ground.run(*sampler, 15, [](const Assignment& values) {
    return std::vector{std::pow(values.at("x0") - .3, 2) + std::pow(values.at("x1") - .6, 2)};
  });
  std::vector<Assignment> asked;
  for (int i = 0; i < 4; ++i) {
    const Suggestion suggestion = ground.ask(*sampler);
    for (const Assignment& other : asked) {
      EXPECT_GT(std::hypot(suggestion.values.at("x0") - other.at("x0"), suggestion.values.at("x1") - other.at("x1")),
                1e-4);
    }
    asked.push_back(suggestion.values);
    ground.begin(suggestion);
  }
}

TEST(GaussianProcess, SaysTheSameAfterARestartAndLivesWithWhatFailed) {
  Playground ground{cube(3, Distribution::real(0, 1))};
  const auto lasting = make_sampler("gp", "{startup_trials: 5, observations: 12}");
  for (int i = 0; i < 30; ++i) {
    const Suggestion suggestion = ground.ask(*lasting);
    if (i % 5 == 0) {
      ASSERT_EQ(suggestion.values, ground.ask(*make_sampler("gp", "{startup_trials: 5, observations: 12}")).values);
    }
    Trial& trial = ground.begin(suggestion);
    if (i % 4 == 0) continue;
    trial.set_report({1, i % 7 == 0 ? std::numeric_limits<double>::quiet_NaN() : suggestion.values.at("x0")});
    const double value = i % 3 == 0 ? std::numeric_limits<double>::infinity() : suggestion.values.at("x0");
    Playground::end(trial, {value}, i % 7 == 0 ? TrialState::kPruned : TrialState::kComplete);
  }
}

TEST(GaussianProcess, WhatWasChosenByHandIsTakenOver) {
  Playground ground{cube(2, Distribution::real(0, 1))};
  const auto sampler = make_sampler("gp");
  ground.run(*sampler, 12, [](const Assignment& values) { return std::vector{values.at("x0")}; });
  EXPECT_EQ(ground.ask(*sampler, {{"x0", 0.75}}).values.at("x0"), 0.75);
}

}  // namespace
}  // namespace etude::sweep
