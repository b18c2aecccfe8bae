// The regret of samplers (the least loss after so many trials, less the optimum) and the time of a suggestion. One JSON
// line for each function; bench/peers/optuna_regret.py prints the same of Optuna.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <limits>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/regret_functions.h"
#include "framework/config/document.h"
#include "sweep/sampler.h"

namespace {

using namespace etude;
using namespace etude::sweep;

struct Run {
  double regret = std::numeric_limits<double>::infinity();
  double milliseconds = 0;  ///< of the processor for each of the last tenth of the suggestions
};

std::unique_ptr<Sampler> make(const std::string& kind, const std::vector<std::string>& settings) {
  for (const SamplerKind& known : sampler_kinds()) {
    if (known.name != kind) continue;
    auto sampler = known.make();
    config::Section section;
    sampler->describe(section);
    config::load_text(section, "{}", "--set", settings);
    return sampler;
  }
  throw UsageError(fmt::format("there is no sampler '{}'", kind));
}

Run search(Sampler& sampler, const bench::Problem& problem, std::uint64_t seed, std::int64_t trials) {
  const std::vector<Direction> directions{Direction::kMinimize};
  std::vector<Trial> done;
  Run run;
  std::clock_t late = 0;
  for (std::int64_t number = 0; number < trials; ++number) {
    const std::clock_t begin = std::clock();
    const Assignment values = sampler.suggest({problem.space, {directions, done}, number, {}, seed}).values;
    if (number >= trials - trials / 10) late += std::clock() - begin;
    Trial trial;
    trial.id = trial.number = number;
    trial.state = TrialState::kComplete;
    trial.parameters = problem.space.parameters(values);
    trial.values = {problem.loss(values)};
    run.regret = std::min(run.regret, trial.values[0] - problem.optimum);
    done.push_back(std::move(trial));
  }
  run.milliseconds = 1e3 * static_cast<double>(late) / CLOCKS_PER_SEC / static_cast<double>(trials / 10);
  return run;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Regret of samplers, one JSON line for each function");
  std::string kind = "tpe";
  std::vector<std::string> settings, names;
  std::int64_t trials = 100, seeds = 30, first = 0;
  app.add_option("--sampler", kind, "Kind of sampler");
  app.add_option("--set", settings, "Its settings: candidates=64");
  app.add_option("--function", names, "Only these");
  app.add_option("--trials", trials, "Trials of a run, at least 10")->check(CLI::Range(10, 100'000));
  app.add_option("--seeds", seeds, "Runs of each function")->check(CLI::Range(1, 100'000));
  app.add_option("--first-seed", first, "The first of the seeds");
  CLI11_PARSE(app, argc, argv);
  try {
    for (const bench::Problem& problem : bench::problems()) {
      if (!names.empty() && std::find(names.begin(), names.end(), problem.name) == names.end()) continue;
      std::vector<double> regrets;
      double milliseconds = 0;
      for (std::int64_t seed = first; seed < first + seeds; ++seed) {
        const Run run = search(*make(kind, settings), problem, static_cast<std::uint64_t>(seed), trials);
        regrets.push_back(run.regret);
        milliseconds += run.milliseconds / static_cast<double>(seeds);
      }
      std::sort(regrets.begin(), regrets.end());
      const double median = (regrets[(regrets.size() - 1) / 2] + regrets[regrets.size() / 2]) / 2;
      fmt::print(R"({{"what": "regret", "who": "etude", "function": "{}", "sampler": "{}", "trials": {}, "seeds": {}, )"
                 R"("figure": {:.6g}, "upper_quartile": {:.6g}, "milliseconds": {:.4f}}})"
                 "\n",
                 problem.name, kind, trials, seeds, median, regrets[regrets.size() * 3 / 4], milliseconds);
      std::fflush(stdout);
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_regret: {}\n", error.what());
    return 1;
  }
}
