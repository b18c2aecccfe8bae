#pragma once

#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <numbers>
#include <string>
#include <vector>

#include "sweep/search_space.h"

namespace etude::bench {

using sweep::Assignment;
using sweep::Distribution;
using sweep::SearchSpace;
using Point = std::vector<double>;

/// What samplers are compared on; bench/peers/optuna_regret.py has the same.
struct Problem {
  std::string name;
  SearchSpace space;
  std::function<double(const Assignment&)> loss;
  double optimum = 0;
};

inline double square(double value) { return value * value; }

template <std::size_t N>
using Table = std::array<std::array<double, N>, 4>;

template <std::size_t N>
double hartmann(const Point& x, const Table<N>& a, const Table<N>& p) {
  constexpr std::array<double, 4> kWeights{1, 1.2, 3, 3.2};
  double sum = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    double inner = 0;
    for (std::size_t j = 0; j < N; ++j) inner += a[i][j] * square(x[j] - p[i][j] * 1e-4);
    sum -= kWeights[i] * std::exp(-inner);
  }
  return sum;
}

inline double hartmann3(const Point& x) {
  static const Table<3> a{{{3, 10, 30}, {.1, 10, 35}, {3, 10, 30}, {.1, 10, 35}}};
  static const Table<3> p{{{3689, 1170, 2673}, {4699, 4387, 7470}, {1091, 8732, 5547}, {381, 5743, 8828}}};
  return hartmann(x, a, p);
}

inline double hartmann6(const Point& x) {
  static const Table<6> a{
      {{10, 3, 17, 3.5, 1.7, 8}, {.05, 10, 17, .1, 8, 14}, {3, 3.5, 1.7, 10, 17, 8}, {17, 8, .05, 10, .1, 14}}};
  static const Table<6> p{{{1312, 1696, 5569, 124, 8283, 5886},
                           {2329, 4135, 8307, 3736, 1004, 9991},
                           {2348, 1451, 3522, 2883, 3047, 6650},
                           {4047, 8828, 8732, 5743, 1091, 381}}};
  return hartmann(x, a, p);
}

inline double branin(const Point& x) {
  constexpr double pi = std::numbers::pi;
  return square(x[1] - 5.1 / (4 * pi * pi) * x[0] * x[0] + 5 / pi * x[0] - 6) +
         10 * (1 - 1 / (8 * pi)) * std::cos(x[0]) + 10;
}

inline double sphere(const Point& x) {
  double sum = 0;
  for (const double v : x) sum += v * v;
  return sum;
}

inline double rosenbrock(const Point& x) {
  double sum = 0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) sum += 100 * square(x[i + 1] - x[i] * x[i]) + square(1 - x[i]);
  return sum;
}

inline double ackley(const Point& x) {
  const auto n = static_cast<double>(x.size());
  double waves = 0;
  for (const double v : x) waves += std::cos(2 * std::numbers::pi * v);
  return 20 + std::numbers::e - 20 * std::exp(-.2 * std::sqrt(sphere(x) / n)) - std::exp(waves / n);
}

inline double rastrigin(const Point& x) {
  double sum = 0;
  for (const double v : x) sum += v * v - 10 * std::cos(2 * std::numbers::pi * v) + 10;
  return sum;
}

inline double styblinski(const Point& x) {
  double sum = 0;
  for (const double v : x) sum += (square(v * v) - 16 * v * v + 5 * v) / 2;
  return sum;
}

inline double levy(const Point& x) {
  constexpr double pi = std::numbers::pi;
  Point w;
  for (const double v : x) w.push_back(1 + (v - 1) / 4);
  double sum = square(std::sin(pi * w[0]));
  for (std::size_t i = 0; i + 1 < w.size(); ++i) {
    sum += square(w[i] - 1) * (1 + 10 * square(std::sin(pi * w[i] + 1)));
  }
  return sum + square(w.back() - 1) * (1 + square(std::sin(2 * pi * w.back())));
}

inline double griewank(const Point& x) {
  double product = 1;
  for (std::size_t i = 0; i < x.size(); ++i) product *= std::cos(x[i] / std::sqrt(static_cast<double>(i + 1)));
  return 1 + sphere(x) / 4000 - product;
}

inline double ellipsoid(const Point& x) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += static_cast<double>(i + 1) * x[i] * x[i];
  return sum;
}

inline double schwefel(const Point& x) {
  double sum = 418.98288727243369 * static_cast<double>(x.size());
  for (const double v : x) sum -= v * std::sin(std::sqrt(std::abs(v)));
  return sum;
}

/// The optimum where nothing is special: each coordinate by another share of `shift`.
template <typename Function>
auto moved(Function function, double shift) {
  return [=](Point x) {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] -= shift * (1 - .35 * static_cast<double>(i));
    return function(x);
  };
}

inline void add(SearchSpace& space, const std::string& name, const Distribution& distribution,
                std::map<std::string, std::vector<double>> when = {}) {
  space.entries.push_back({name, std::make_shared<const Distribution>(distribution), std::move(when)});
}

template <typename Function>
Problem box(const std::string& name, Function function, int dimensions, double low, double high, double optimum = 0) {
  Problem problem;
  problem.name = name;
  problem.optimum = optimum;
  for (int i = 0; i < dimensions; ++i) add(problem.space, "x" + std::to_string(i), Distribution::real(low, high));
  problem.loss = [=](const Assignment& values) {
    Point x;
    for (const auto& [key, value] : values) x.push_back(value);  // up to x9 in the order of their names
    return function(x);
  };
  return problem;
}

inline Problem branin_problem() {
  Problem problem = box("branin", branin, 2, -5, 10, 0.39788735772973816);
  problem.space.entries[1].distribution = std::make_shared<const Distribution>(Distribution::real(0, 15));
  return problem;
}

inline Problem mixed() {
  Problem problem;
  problem.name = "mixed";
  add(problem.space, "kind", Distribution::categorical({"linear", "forest", "network"}));
  add(problem.space, "rate", Distribution::real(1e-5, 1, true));
  add(problem.space, "depth", Distribution::integer(1, 12), {{"kind", {1}}});
  add(problem.space, "share", Distribution::real(0, 1), {{"kind", {1}}});
  add(problem.space, "layers", Distribution::integer(1, 8), {{"kind", {2}}});
  add(problem.space, "dropout", Distribution::real(0, .9), {{"kind", {2}}});
  problem.loss = [](const Assignment& at) {
    const double kind = at.at("kind"), rate = std::log10(at.at("rate"));
    if (kind == 0) return .2 + square(rate + 2) / 10;
    if (kind == 1) return .1 + .01 * square(at.at("depth") - 7) + std::abs(at.at("share") - .6) / 5;
    return square(rate + 3) / 10 + .02 * square(at.at("layers") - 4) + square(at.at("dropout") - .35);
  };
  return problem;
}

/// As a learning curve's end may look: parameters that depend on each other, of every kind.
inline Problem training() {
  Problem problem;
  problem.name = "training";
  add(problem.space, "rate", Distribution::real(1e-5, 1e-1, true));
  add(problem.space, "batch", Distribution::integer(8, 512, true));
  add(problem.space, "width", Distribution::integer(64, 1024, false, 64));
  add(problem.space, "optimizer", Distribution::categorical({"sgd", "adam", "lion", "adagrad"}));
  add(problem.space, "activation", Distribution::categorical({"relu", "gelu", "tanh"}));
  add(problem.space, "decay", Distribution::real(0, .3, false, .01));
  problem.loss = [](const Assignment& at) {
    const auto optimizer = static_cast<std::size_t>(at.at("optimizer"));
    const double rate = std::log10(at.at("rate")), batch = std::log2(at.at("batch")), width = at.at("width") / 1024;
    const double best = std::array<double, 4>{-1.5, -3, -4, -2}[optimizer] + .25 * (batch - 6);
    return std::array<double, 4>{.05, 0, .02, .1}[optimizer] +
           std::array<double, 3>{.03, 0, .08}[static_cast<std::size_t>(at.at("activation"))] +
           .15 * square(rate - best) + .02 * square(batch - 5) + .3 * square(width - .625) +
           2 * square(at.at("decay") - .08);
  };
  return problem;
}

/// The first eight are those of the table; the others show whether what is good there is good elsewhere.
inline std::vector<Problem> problems() {
  return {branin_problem(),
          box("sphere5", sphere, 5, -5, 10),
          box("rosenbrock5", rosenbrock, 5, -5, 10),
          box("ackley5", ackley, 5, -32.768, 32.768),
          box("rastrigin5", rastrigin, 5, -5.12, 5.12),
          box("styblinski5", styblinski, 5, -5, 5, 5 * -39.16616570377142),
          box("hartmann6", hartmann6, 6, 0, 1, -3.3223680114155),
          mixed(),
          box("hartmann3", hartmann3, 3, 0, 1, -3.862782147820),
          box("levy4", levy, 4, -10, 10),
          box("griewank3 moved", moved(griewank, 117), 3, -600, 600),
          box("ellipsoid8 moved", moved(ellipsoid, 2.7), 8, -5, 5),
          box("ackley3 moved", moved(ackley, 11.3), 3, -32.768, 32.768),
          box("rastrigin2 moved", moved(rastrigin, 1.9), 2, -5.12, 5.12),
          box("schwefel3", schwefel, 3, -500, 500),
          box("rosenbrock3", rosenbrock, 3, -5, 10),
          box("sphere10 moved", moved(sphere, 1.3), 10, -5, 10),
          training()};
}

}  // namespace etude::bench
