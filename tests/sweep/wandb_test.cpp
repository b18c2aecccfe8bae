#include "sweep/wandb.h"

#include <cmath>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sweep/sweep_file.h"
#include "tests/support/broken_yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace etude::sweep {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// As people publish them, with what only W&B's own runner needs.
constexpr const char* kStrangers = R"(program: train.py
project: chopin
entity: nobody
method: bayes
name: strangers
metric:
  goal: maximize
  name: validation_accuracy
  target: 0.99
parameters:
  epochs:
    value: 20
  optimizer:
    parameters:
      kind: {values: [adam, sgd]}
      lr:
        distribution: log_uniform_values
        min: 1e-5
        max: 0.1
  dropout:
    distribution: q_uniform
    min: 0
    max: 0.52
    q: 0.1
  layers: {min: 2, max: 8}
  width: {distribution: int_uniform, min: 32, max: 256}
  decay: {min: 0.0, max: 1}
early_terminate: {type: hyperband, min_iter: 3, eta: 2}
run_cap: 50
command:
  - ${env}
  - python
)";

std::unique_ptr<SweepFile> loaded(const std::string& yaml) {
  return load_sweep_text(yaml, "wandb.yaml", {"experiment=e.yaml"});
}

std::vector<std::string> complaints(const std::string& parameter, const std::string& rest = "") {
  try {
    loaded("method: random\nmetric: {name: loss}\nparameters: {x: " + parameter + "}\n" + rest);
  } catch (const config::ConfigError& error) {
    return error.complaints();
  }
  return {};
}

Distribution read(const std::string& parameter) {
  return *loaded("method: random\nmetric: {name: loss}\nparameters: {x: " + parameter + "}\n")
              ->space.entries.at(0)
              .distribution;
}

TEST(WandbSweep, OfAStrangerIsReadWithAWordOnWhatIsLeftOut) {
  const auto sweep = loaded(kStrangers);
  EXPECT_EQ(sweep->name, "strangers");
  EXPECT_EQ(sweep->objectives.at(0).name, "validation_accuracy");
  EXPECT_EQ(sweep->objectives.at(0).direction, Direction::kMaximize);
  EXPECT_THAT(sweep->assignments, ElementsAre("epochs=20"));
  const auto distribution = [&](const char* name) { return *sweep->space.find(name)->distribution; };
  EXPECT_EQ(distribution("optimizer.kind"), Distribution::categorical({"adam", "sgd"}));
  EXPECT_EQ(distribution("optimizer.lr"), Distribution::real(1e-5, 0.1, true));
  EXPECT_EQ(distribution("dropout"), Distribution::real(0, 0.5, false, 0.1));
  EXPECT_EQ(distribution("layers"), Distribution::integer(2, 8));
  EXPECT_EQ(distribution("width"), Distribution::integer(32, 256));
  EXPECT_EQ(distribution("decay"), Distribution::real(0, 1));
  EXPECT_EQ(sweep->budget.trials, 50);
  EXPECT_EQ(sweep->pruner_kind, "successive_halving");
  EXPECT_THAT(sweep->warnings, ElementsAre(AllOf(StartsWith("wandb.yaml:1:1: "), HasSubstr("'program'")),
                                           AllOf(StartsWith("wandb.yaml:30:1: "), HasSubstr("'command'")),
                                           AllOf(StartsWith("wandb.yaml:2:1: "), HasSubstr("'project'")),
                                           AllOf(StartsWith("wandb.yaml:3:1: "), HasSubstr("'entity'")),
                                           AllOf(StartsWith("wandb.yaml:9:3: "), HasSubstr("'metric.target'"))));
}

TEST(WandbSweep, IsWrittenInOurOwnSpelling) {
  const std::string yaml = to_yaml(*loaded(kStrangers));
  EXPECT_EQ(to_yaml(*load_sweep_text(yaml, "again.yaml")), yaml);
  for (const char* word : {"method", "early_terminate", "run_cap", "distribution", "min:"}) {
    EXPECT_EQ(yaml.find(word), std::string::npos) << word;
  }
}

// W&B, "Sweep configuration options": what each distribution draws.
TEST(WandbDistributions, BecomeTheirEquals) {
  EXPECT_EQ(read("{distribution: uniform, min: 1, max: 4}"), Distribution::real(1, 4));
  EXPECT_EQ(read("{distribution: categorical, values: [1, 2]}"), Distribution::categorical({1, 2}));
  EXPECT_EQ(read("{distribution: q_uniform, min: 1, max: 4}"), Distribution::integer(1, 4)) << "q is 1";
  EXPECT_EQ(read("{distribution: q_uniform, min: 10, max: 95, q: 20}"), Distribution::integer(20, 100, false, 20))
      << "it rounds to multiples of q; 10 / 20 rounds up";
  // exp(x) of a uniform x, and 1 / exp(x).
  EXPECT_EQ(read("{distribution: log_uniform, min: -2, max: 3}"),
            Distribution::real(std::exp(-2.), std::exp(3.), true));
  EXPECT_EQ(read("{distribution: inv_log_uniform, min: -2, max: 3}"),
            Distribution::real(std::exp(-3.), std::exp(2.), true));
  EXPECT_EQ(read("{distribution: inv_log_uniform_values, min: 0.5, max: 3}"), Distribution::real(0.5, 3, true));
  EXPECT_EQ(read("{distribution: q_log_uniform_values, q: 1, min: 8, max: 512}"), Distribution::integer(8, 512, true));
  EXPECT_EQ(read("{values: [1, 2], probabilities: [0.5, 0.5]}"), Distribution::categorical({1, 2}));
}

TEST(WandbDistributions, WithoutAnEqualAreRefusedWithAWayOut) {
  EXPECT_THAT(complaints("{distribution: normal, mu: 10, sigma: 2}"), ElementsAre(HasSubstr("{low: 6, high: 14}")));
  EXPECT_THAT(complaints("{distribution: q_log_uniform_values, min: 1, max: 64, q: 8}"),
              ElementsAre(HasSubstr("q: 1")));
  EXPECT_THAT(complaints("{values: [1, 2], probabilities: [0.9, 0.1]}"), ElementsAre(HasSubstr("probabilities")));
  EXPECT_THAT(complaints("{distribution: unifrom, min: 1, max: 2}"), ElementsAre(HasSubstr("did you mean 'uniform'?")));
  EXPECT_THAT(complaints("{min: 1, low: 2, max: 3}"), ElementsAre(HasSubstr("'min' and 'low' are the same")));
  EXPECT_THAT(complaints("{distribution: constant}"), Contains(HasSubstr("needs 'value'")));
}

// The first example of W&B's own page on these keys has 32 to 256 with q: 8.
TEST(WandbDistributions, WithoutAnEqualNameValuesThatComeNear) {
  EXPECT_THAT(complaints("{distribution: q_log_uniform_values, min: 32, max: 256, q: 8}"),
              ElementsAre(HasSubstr("{values: [32, 64, 128, 256]}")));
}

TEST(WandbDistributions, ThatAreRefusedAreNotComplainedOfTwice) {
  config::Section experiment;
  std::int64_t layers = 1;
  double dropout = 0;
  experiment.integer("layers", layers, {1, 64}, "");
  experiment.number("dropout", dropout, {0, 0.9}, "");
  try {
    load_sweep_text(
        "method: random\nmetric: {name: l}\nparameters:\n  layers: {distribution: normal, mu: 4}\n"
        "  dropout: {min: 0.0, max: 0.5}\n",
        "wandb.yaml", {"experiment=e.yaml"}, [&](const SweepFile&) -> const config::Section& { return experiment; });
    FAIL();
  } catch (const config::ConfigError& error) {
    EXPECT_THAT(error.complaints(), ElementsAre(HasSubstr("'normal'")));
  }
}

TEST(WandbDistributions, OfExponentsAreWarnedOfWhereTheyLookLikeValues) {
  const auto sweep = loaded(
      "method: random\nmetric: {name: l}\nparameters: {x: {distribution: log_uniform, min: "
      "0.0001, max: 0.1}}");
  EXPECT_THAT(sweep->warnings, ElementsAre(HasSubstr("1.0001 to 1.10517; log_uniform_values")));
}

TEST(WandbSweep, DoesNotOverruleWhatIsSaidInOurWords) {
  EXPECT_THAT(complaints("[1, 2]", "sampler: {kind: random}"), ElementsAre(HasSubstr("'method' and 'sampler'")));
  EXPECT_THAT(complaints("[1, 2]", "run_cap: 3\nbudget: {trials: 4}"),
              ElementsAre(HasSubstr("'run_cap' and 'trials'")));
}

TEST(WandbEarlyTermination, CountsReportsAndBringsNobodyBack) {
  const auto yaml = [](const std::string& keys) {
    return to_yaml(
        *loaded("method: random\nmetric: {name: l}\nparameters: {x: [1, 2]}\nearly_terminate: {type: "
                "hyperband, " +
                keys + "}"));
  };
  // W&B's own example: max_iter 27, s 2 and eta 3 stop at 9 and 3.
  EXPECT_THAT(yaml("max_iter: 27, s: 2"),
              AllOf(HasSubstr("kind: successive_halving"), HasSubstr("unit: report"), HasSubstr("min_step: 3\n"),
                    HasSubstr("max_step: 27\n"), HasSubstr("reduction: 3\n"), HasSubstr("resume: false")));
  EXPECT_THAT(to_yaml(*loaded("method: random\nmetric: {name: l}\nparameters: {x: [1, 2]}\nearly_terminate: null\n")),
              HasSubstr("kind: none"));
  EXPECT_THAT(yaml("min_iter: 5, eta: 2"), AllOf(HasSubstr("min_step: 5\n"), HasSubstr("reduction: 2\n")));
  // Its code looks at max_iter first, and divides by eta s times: 50 / 3 and 50 / 9 are two rungs, not three.
  EXPECT_THAT(yaml("min_iter: 2, max_iter: 50, s: 2, eta: 3"),
              AllOf(HasSubstr("min_step: 5\n"), HasSubstr("max_step: 45\n"), HasSubstr("reduction: 3\n")));
  EXPECT_THAT(complaints("[1, 2]", "early_terminate: {type: hyperband, max_iter: 27}"),
              ElementsAre(HasSubstr("min_iter, or max_iter together with s")));
  EXPECT_THAT(complaints("[1, 2]", "early_terminate: {type: envelope}"), ElementsAre(HasSubstr("hyperband")));
}

TEST(FuzzSweep, ThousandsOfBrokenFilesAreRefusedOrUnderstood) {
  const std::vector<std::string> valid = {
      kStrangers + std::string("experiment: e\n"),
      std::string(
          "experiment: e\nmetric: [a, {name: b, goal: maximize}]\nset: [a=1, 'b=[1, 2]']\nparameters:\n  x: "
          "{low: 1, high: 9, step: 2}\n  y: {values: [1e-5, \"1\", 1, ~], when: {x: [1, 3]}}\n  g: {h: {i: [1]}}"
          "\nenqueue: [{x: 3, y: null}]\nbudget: {cost: 1 USD, wall: 2h}\n") +
          '\0' + "parameters.x.low=0",
      "experiment: e\nmetric: {name: a}\nset: {a: {b: {}}, c: [x, {y: z}]}\nparameters: {x: {type: float, low: -1, "
      "high: 1e3, step: 0.1}, z: {distribution: log_uniform, min: -3, max: 2}}\nsampler: {seed: 3}\n",
  };
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    const std::string input = testing::broken_yaml(random, valid);
    ASSERT_EQ(LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size()), 0) << input;
  }
}

}  // namespace
}  // namespace etude::sweep
