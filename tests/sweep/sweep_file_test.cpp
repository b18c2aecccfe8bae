#include "sweep/sweep_file.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/config/document.h"
#include "sweep/parameters.h"
#include "tests/support/oracle.h"

namespace etude::sweep {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const std::string kHead = "experiment: e.yaml\nmetric: eval_loss\n";

std::unique_ptr<SweepFile> loaded(const std::string& yaml, const std::vector<std::string>& assignments = {},
                                  const ExperimentOptions& options = {}) {
  return load_sweep_text(yaml, "my.yaml", assignments, options);
}

std::vector<std::string> complaints(const std::string& yaml, const std::vector<std::string>& assignments = {},
                                    const ExperimentOptions& options = {}) {
  try {
    loaded(yaml, assignments, options);
  } catch (const config::ConfigError& error) {
    return error.complaints();
  }
  return {};
}

/// What is wrong with `parameters`, given in flow style on line 3.
std::vector<std::string> parameter_complaints(const std::string& parameters) {
  return complaints(kHead + "parameters: " + parameters);
}

const Distribution& distribution(const SweepFile& sweep, const std::string& name) {
  const SearchSpace::Entry* entry = sweep.space.find(name);
  if (entry == nullptr) throw Error("there is no parameter " + name);
  return *entry->distribution;
}

TEST(SweepFile, SaysAllThatTheExampleOfTheManualSays) {
  const auto sweep = loaded(R"(
name: chopin-architectures
experiment: experiments/chopin.yaml
set: {train.steps: 5000, data: {pack: packs/chopin}}
metric: {name: eval_loss_per_note, goal: minimize}
parameters:
  model.kind: {values: [gpt2, transformer_xl]}
  model.layers: {type: int, low: 2, high: 12}
  train.lr: {type: float, low: 1e-5, high: 1.0e-2, log: true}
  model.memory: {type: int, low: 64, high: 1024, step: 64, when: {model.kind: transformer_xl}}
enqueue:
  - {model.kind: gpt2, train.lr: 3e-4}
  - model: {kind: transformer_xl, memory: 128}
sampler: {kind: random, seed: 7}
budget: {trials: 100, wall: 12h, gpu_hours: 64, core_hours: 1e3, cost: 150 USD}
resources: {ranks_per_trial: 2, max_concurrent_trials: 4, max_restarts: 3}
storage: sqlite:///chopin.db
controller: {host: 127.0.0.1, port: 8080, lease: 90s}
)");
  EXPECT_EQ(sweep->name, "chopin-architectures");
  EXPECT_EQ(sweep->experiment, "experiments/chopin.yaml");
  EXPECT_EQ(sweep->folder, "sweeps/chopin-architectures");
  EXPECT_THAT(sweep->assignments, ElementsAre("train.steps=5000", "data.pack=packs/chopin"));
  ASSERT_EQ(sweep->objectives.size(), 1u);
  EXPECT_EQ(sweep->objectives[0].name, "eval_loss_per_note");
  EXPECT_EQ(distribution(*sweep, "model.kind"), Distribution::categorical({"gpt2", "transformer_xl"}));
  EXPECT_EQ(distribution(*sweep, "model.layers"), Distribution::integer(2, 12));
  EXPECT_EQ(distribution(*sweep, "train.lr"), Distribution::real(1e-5, 1e-2, true));
  EXPECT_EQ(distribution(*sweep, "model.memory"), Distribution::integer(64, 1024, false, 64));
  EXPECT_THAT(sweep->space.entries[3].when.at("model.kind"), ElementsAre(1.0));
  ASSERT_EQ(sweep->enqueue.size(), 2u);
  EXPECT_EQ(sweep->enqueue[0], (std::map<std::string, Json>{{"model.kind", "gpt2"}, {"train.lr", 3e-4}}));
  EXPECT_EQ(sweep->enqueue[1], (std::map<std::string, Json>{{"model.kind", "transformer_xl"}, {"model.memory", 128}}));
  EXPECT_EQ(sweep->seed, 7);
  EXPECT_EQ(sweep->budget.trials, 100);
  EXPECT_EQ(sweep->budget.wall, 12 * 3600);
  EXPECT_EQ(sweep->budget.core_hours, 1000);
  EXPECT_EQ(sweep->budget.cost, 150);
  EXPECT_EQ(sweep->budget.currency, "USD");
  EXPECT_EQ(sweep->resources.max_concurrent_trials, 4);
  EXPECT_EQ(sweep->controller.port, 8080);
  EXPECT_EQ(sweep->controller.lease, 90);
  EXPECT_THAT(sweep->warnings, IsEmpty());
}

TEST(SweepFile, ComplainsOfEverythingAtOnceByLineAndColumn) {
  EXPECT_THAT(complaints(R"(experiment: e.yaml
metrik: {name: eval_loss}
parameters:
  train.lr: {low: 1, hgh: 2}
  model.kind: {values: [a, a]}
sampler: {kind: rendom}
budget: {trials: -1, cost: cheap}
)"),
              ElementsAre(AllOf(StartsWith("my.yaml:1:1: "), HasSubstr("'metric' is missing")),
                          AllOf(StartsWith("my.yaml:2:1: "), HasSubstr("did you mean 'metric'?")),
                          AllOf(StartsWith("my.yaml:4:3: "), HasSubstr("high is missing")),
                          AllOf(StartsWith("my.yaml:4:22: "), HasSubstr("did you mean 'high'?")),
                          AllOf(StartsWith("my.yaml:5:28: "), HasSubstr("twice")),
                          AllOf(StartsWith("my.yaml:6:17: "), HasSubstr("did you mean 'random'?")),
                          AllOf(StartsWith("my.yaml:7:18: "), HasSubstr("0 to")),
                          AllOf(StartsWith("my.yaml:7:28: "), HasSubstr("150 USD"))));
}

TEST(SweepFile, NeedsAnExperimentAMetricAndParameters) {
  EXPECT_THAT(complaints(""), ElementsAre(HasSubstr("'experiment' is missing"), HasSubstr("'metric' is missing"),
                                          HasSubstr("'parameters' is missing")));
}

TEST(SweepFile, IsNamedAfterItsFileUnlessItHasAName) {
  etude::testing::TemporaryFolder folder;
  const auto file = folder.path() / "noctürne.yaml";
  std::ofstream(file) << kHead << "parameters: {a: [1, 2]}";
  EXPECT_EQ(load_sweep(file)->name, "noctürne");
  EXPECT_EQ(load_sweep(file, {"name=other"})->name, "other");
  EXPECT_THROW(load_sweep(file, {"name=../other"}), config::ConfigError);
  EXPECT_THROW(load_sweep(folder.path() / "none.yaml"), UsageError);
}

TEST(SweepFile, TakesAssignmentsIntoParametersOfTheFile) {
  const auto sweep = loaded(kHead + "parameters: {train.lr: {low: 1e-4, high: 1e-2, log: true}}",
                            {"parameters.train.lr.low=1e-5", "budget.trials=3", "set.train.steps=9"});
  EXPECT_EQ(distribution(*sweep, "train.lr"), Distribution::real(1e-5, 1e-2, true));
  EXPECT_EQ(sweep->budget.trials, 3);
  EXPECT_THAT(sweep->assignments, ElementsAre("train.steps=9"));
  EXPECT_THAT(complaints(kHead + "parameters: {train.lr: {low: 1, high: 2}}", {"parameters.train.lr.low=3"}),
              ElementsAre(AllOf(StartsWith("--set parameters.train.lr.low=3: "), HasSubstr("above high"))));
}

// ---- parameters ----

TEST(SweepParameters, TellIntegersFromNumbersByHowTheyAreWritten) {
  const auto sweep =
      loaded(kHead +
             "parameters: {a: {low: 1, high: 8}, b: {low: 1, high: 8.0}, c: {low: 0, high: 1, step: "
             "0.25}, d: {type: int, low: 1e1, high: 1e3, log: true}, e: {type: float, low: 1, high: 2}}");
  EXPECT_EQ(distribution(*sweep, "a"), Distribution::integer(1, 8));
  EXPECT_EQ(distribution(*sweep, "b"), Distribution::real(1, 8));
  EXPECT_EQ(distribution(*sweep, "c"), Distribution::real(0, 1, false, 0.25));
  EXPECT_EQ(distribution(*sweep, "d"), Distribution::integer(10, 1000, true));
  EXPECT_EQ(distribution(*sweep, "e"), Distribution::real(1, 2));
}

TEST(SweepParameters, ReadValuesAsYamlMeansThem) {
  const auto sweep =
      loaded(kHead + R"(parameters: {a: {values: [1e-5, "1e-5", 3, 0.5, true, null, no, [-5, 6], "ü"]}})");
  EXPECT_EQ(distribution(*sweep, "a").choices,
            (std::vector<Json>{1e-5, "1e-5", 3, 0.5, true, nullptr, "no", "[-5, 6]", "ü"}));
  EXPECT_TRUE(distribution(*sweep, "a").choices[2].is_number_integer());
}

TEST(SweepParameters, MoveTheUpperEndOntoTheGridAsOptunaDoes) {
  const auto sweep = loaded(kHead +
                            "parameters: {a: {low: 64, high: 1000, step: 64}, b: {low: 0.0, high: 0.75, step: "
                            "0.1}}");
  EXPECT_EQ(distribution(*sweep, "a"), Distribution::integer(64, 960, false, 64));
  EXPECT_EQ(distribution(*sweep, "b").high, 0.7);
  EXPECT_THAT(sweep->warnings, ElementsAre(StartsWith("my.yaml:3:33: "), HasSubstr("0.7")));
}

TEST(SweepParameters, RefuseRangesThatAreNone) {
  EXPECT_THAT(parameter_complaints("{a: {low: 3, high: 2}}"), ElementsAre(HasSubstr("low (3) is above high (2)")));
  EXPECT_THAT(parameter_complaints("{a: {low: 0, high: 2, log: true}}"), ElementsAre(HasSubstr("above 0")));
  EXPECT_THAT(parameter_complaints("{a: {low: 1, high: 9, log: true, step: 2}}"),
              ElementsAre(HasSubstr("log and step do not go together")));
  EXPECT_THAT(parameter_complaints("{a: {low: 1, high: 9, step: 0}}"), ElementsAre(HasSubstr("above 0")));
  EXPECT_THAT(parameter_complaints("{a: {low: .nan, high: .inf}}"),
              ElementsAre(HasSubstr("'.nan'"), HasSubstr("'.inf'")));
  EXPECT_THAT(parameter_complaints("{a: {type: int, low: 0.5, high: 9}}"), ElementsAre(HasSubstr("integer")));
  EXPECT_THAT(parameter_complaints("{a: {low: 1, high: 1e400}}"), ElementsAre(HasSubstr("'1e400'")));
  EXPECT_THAT(parameter_complaints("{a: {values: []}}"), ElementsAre(HasSubstr("a list of 0 values")));
  EXPECT_THAT(parameter_complaints("{a: {values: [1, 2], low: 1}}"), ElementsAre(HasSubstr("beside 'values'")));
  EXPECT_THAT(parameter_complaints("{a: 3}"), ElementsAre(HasSubstr("under 'set'")));
  EXPECT_THAT(parameter_complaints("[a]"), ElementsAre(HasSubstr("is a map")));
}

TEST(SweepParameters, HaveConditionsOnEarlierOnes) {
  const auto sweep = loaded(kHead + R"(
parameters:
  kind: [a, b, c]
  depth: {low: 1, high: 3, when: {kind: [a, b]}}
  width: {low: 1, high: 3, when: {depth: 2}}
)");
  EXPECT_EQ(sweep->space.active({{"kind", 1}, {"depth", 2}}).size(), 3u);
  EXPECT_EQ(sweep->space.active({{"kind", 1}, {"depth", 1}}).size(), 2u);
  EXPECT_EQ(sweep->space.active({{"kind", 2}, {"depth", 2}}).size(), 1u) << "what decides is itself not there";
}

TEST(SweepParameters, RefuseConditionsThatMeanNothing) {
  EXPECT_THAT(parameter_complaints("{kind: [a, b], x: {low: 1, high: 2, when: {knd: a}}}"),
              ElementsAre(AllOf(StartsWith("my.yaml:3:56: "), HasSubstr("did you mean 'kind'?"))));
  EXPECT_THAT(parameter_complaints("{x: {low: 1, high: 2, when: {kind: a}}, kind: [a, b]}"),
              ElementsAre(HasSubstr("move it above")));
  EXPECT_THAT(parameter_complaints("{kind: [a, b], x: {low: 1, high: 2, when: {kind: [a, d]}}}"),
              ElementsAre(HasSubstr("'kind' is never 'd'; it is a or b")));
  EXPECT_THAT(parameter_complaints("{lr: {low: 0.1, high: 1}, x: {low: 1, high: 2, when: {lr: 0.5}}}"),
              ElementsAre(HasSubstr("continuum")));
  EXPECT_THAT(parameter_complaints("{x: {low: 1, high: 2, when: {x: 1}}}"), ElementsAre(HasSubstr("about itself")));
  EXPECT_THAT(
      parameter_complaints("{kind: [a, b], x: {values: [1, 2], when: {kind: a}}, y: {low: 1, high: 2, when: {x: "
                           "1, kind: b}}}"),
      ElementsAre(HasSubstr("leave no value of 'kind'")));
}

TEST(SweepEnqueue, RefusesWhatTheSearchSpaceDoesNotHave) {
  const std::string head = kHead + "parameters: {kind: [a, b], x: {low: 1, high: 8, when: {kind: b}}}\nenqueue: ";
  EXPECT_THAT(complaints(head + "[{knd: a}]"), ElementsAre(HasSubstr("did you mean 'kind'?")));
  EXPECT_THAT(complaints(head + "[{x: 9}]"), ElementsAre(AllOf(StartsWith("my.yaml:4:15: "), HasSubstr("'9'"))));
  EXPECT_THAT(complaints(head + "[{x: 1, kind: a}]"), ElementsAre(HasSubstr("no 'x' where 'kind' is \"a\"")));
  EXPECT_THAT(complaints(head + "{x: 1}"), ElementsAre(HasSubstr("a list of maps")));
}

TEST(SweepMetric, IsOneOrSeveral) {
  const std::string parameters = "experiment: e\nparameters: {a: [1, 2]}\nmetric: ";
  const auto sweep = loaded(parameters + "[{name: loss}, {name: top1, goal: maximize}]");
  ASSERT_EQ(sweep->objectives.size(), 2u);
  EXPECT_EQ(sweep->objectives[0].direction, Direction::kMinimize);
  EXPECT_EQ(sweep->objectives[1].direction, Direction::kMaximize);
  EXPECT_THAT(complaints(parameters + "{name: loss, goal: lower}"), ElementsAre(HasSubstr("minimize or maximize")));
  EXPECT_THAT(complaints(parameters + "[loss, loss]"), ElementsAre(HasSubstr("twice")));
  EXPECT_THAT(complaints(parameters + "{goal: minimize}"), ElementsAre(HasSubstr("has a name")));
}

TEST(SweepBudget, ReadsMoneyWithItsCurrency) {
  const std::string rest = kHead + "parameters: {a: [1, 2]}\nbudget: ";
  EXPECT_EQ(loaded(rest + "{cost: 12.50 EUR}")->budget.cost, 12.5);
  EXPECT_EQ(loaded(rest + "{cost: 12.50EUR}")->budget.currency, "EUR");
  EXPECT_EQ(loaded(rest + "{cost: 80}")->budget.cost, 80);
  EXPECT_THAT(complaints(rest + "{cost: -3 EUR}"), ElementsAre(HasSubstr("an amount and its currency")));
  EXPECT_THAT(complaints(rest + "{cost: .inf EUR}"), ElementsAre(HasSubstr("an amount and its currency")));
}

TEST(SweepFile, IsReadBackAsItWasWritten) {
  const auto sweep = loaded(R"(
experiment: e.yaml
set: ["data.transpose.semitones=[-5, 6]", 'name=a: b', train.lr=1e-4]
metric: [loss, {name: "1", goal: maximize}]
parameters:
  "ü: [x": {values: ["null", null, "1e-5", 1e-5, 7, true, "true", "[1, 2]"]}
  b: {low: 1, high: 9, step: 2, when: {"ü: [x": [null, "true"]}}
  c: {low: 1e-9, high: 0.3, log: true}
enqueue: [{b: 3, "ü: [x": null}, {c: 1e-3}]
budget: {cost: 0.1 USD, wall: 1h30m}
)");
  const std::string yaml = to_yaml(*sweep);
  const auto again = load_sweep_text(yaml, "again.yaml");
  EXPECT_EQ(to_yaml(*again), yaml);
  EXPECT_THAT(again->assignments, sweep->assignments);
  EXPECT_EQ(again->name, "my");
  EXPECT_EQ(again->enqueue, sweep->enqueue);
  ASSERT_EQ(again->space.entries.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(*again->space.entries[i].distribution, *sweep->space.entries[i].distribution);
    EXPECT_EQ(again->space.entries[i].when, sweep->space.entries[i].when);
  }
  EXPECT_EQ(again->budget.cost, 0.1);
  EXPECT_EQ(again->budget.wall, 5400);
}

TEST(SweepAssignment, IsWhatTheExperimentsLoaderReads) {
  EXPECT_EQ(assignment("train.lr", 1e-5), "train.lr=1.0e-05");
  EXPECT_EQ(assignment("model.layers", 4), "model.layers=4");
  EXPECT_EQ(assignment("model.kind", "gpt2"), "model.kind=gpt2");
  EXPECT_EQ(assignment("a", "x: y"), "a=\"x: y\"");
  EXPECT_EQ(assignment("a", "[-5, 6]"), "a=[-5, 6]") << "a list that was one of the values";
}

// ---- against the experiment ----

/// An experiment of two models, as the program's own describes itself.
struct Music {
  std::string kind = "gpt2";
  std::int64_t layers = 4, xl_layers = 4, memory = 64;
  double lr = 1e-3;
  config::Section root;

  Music() {
    root.section("model", "")
        .variant("kind", kind,
                 {{"gpt2",
                   [this](config::Section& keys) {
                     keys.integer("layers", layers, {1, 8}, "");
                   }},
                  {"xl",
                   [this](config::Section& keys) {
                     keys.integer("layers", xl_layers, {1, 64}, "");
                     keys.integer("memory", memory, {0, 1024}, "");
                   }}},
                 "");
    root.section("train", "").number("lr", lr, {0, 1}, "");
  }
};

std::vector<std::string> against_music(const std::string& rest, const std::string& kind = "gpt2") {
  Music music;
  music.kind = kind;
  const auto found =
      complaints(kHead + rest, {}, [&](const SweepFile&) -> const config::Section& { return music.root; });
  EXPECT_EQ(music.lr, 1e-3) << "what was tried was not taken back";
  EXPECT_EQ(music.kind, kind) << "what was tried was not taken back";
  return found;
}

TEST(SweepAgainstExperiment, FindsWhatItDoesNotHaveBeforeAnythingRuns) {
  EXPECT_THAT(against_music("parameters: {train.lr: {low: 0.1, high: 0.5}}"), IsEmpty());
  EXPECT_THAT(against_music("parameters: {train.lrr: {low: 0.1, high: 0.5}}"),
              ElementsAre(AllOf(StartsWith("my.yaml:3:14: "), HasSubstr("did you mean 'train.lr'?"))));
  EXPECT_THAT(against_music("parameters: {lr: {low: 0.1, high: 0.5}}"), ElementsAre(HasSubstr("'train.lr'")));
  EXPECT_THAT(against_music("parameters: {train.lr: {low: 0.1, high: 5.0}}"), ElementsAre(HasSubstr("0 to 1")));
  EXPECT_THAT(against_music("parameters: {train.lr: [0.1, big]}"), ElementsAre(HasSubstr("'big'")));
  EXPECT_THAT(against_music("parameters: {model.layers: {low: 1.0, high: 5.0}}"), ElementsAre(HasSubstr("type: int")));
  EXPECT_THAT(against_music("parameters: {train.lr: [0.1, 0.2]}\nset: {train.stepz: 3}"),
              ElementsAre(HasSubstr("no option 'train.stepz'")));
  EXPECT_THAT(against_music("parameters: {train.lr: [0.1, 0.2]}\nset: {model.layers: 9}"),
              ElementsAre(AllOf(StartsWith("my.yaml:4:21: "), HasSubstr("1 to 8"))));
}

TEST(SweepAgainstExperiment, KnowsWhichModelHasAnOption) {
  const std::string kinds = "parameters: {model.kind: [gpt2, xl], ";
  EXPECT_THAT(against_music(kinds + "model.memory: {low: 1, high: 9, when: {model.kind: xl}}}"), IsEmpty());
  EXPECT_THAT(
      against_music(kinds + "model.memory: {low: 1, high: 9}}"),
      ElementsAre(HasSubstr("only model.kind xl has this option, but it may be gpt2; add when: {model.kind: xl}")));
  EXPECT_THAT(against_music(kinds + "model.layers: {low: 1, high: 9}}"), ElementsAre(HasSubstr("1 to 8")));
  EXPECT_THAT(against_music(kinds + "model.layers: {low: 1, high: 9, when: {model.kind: xl}}}"), IsEmpty());
  EXPECT_THAT(against_music("parameters: {model.memory: {low: 1, high: 9}}"), ElementsAre(HasSubstr("may be gpt2")));
  EXPECT_THAT(against_music("parameters: {model.memory: {low: 1, high: 9}}", "xl"), IsEmpty());
  EXPECT_THAT(against_music("parameters: {model.memory: {low: 1, high: 9}}\nset: {model.kind: xl}"), IsEmpty());
  EXPECT_THAT(against_music(kinds + "train.lr: [0.1, 0.2]}\nset: {model.memory: 3}"),
              ElementsAre(HasSubstr("make it a parameter")));
}

// ---- what people and editors are told ----

TEST(SweepExplained, ListsFreeAndFixedKeys) {
  EXPECT_THAT(explain_sweep(""),
              AllOf(HasSubstr("parameters"), HasSubstr("budget.gpu_hours"), HasSubstr("sampler.kind")));
  EXPECT_THAT(explain_sweep("enqueue"), HasSubstr("before any others"));
  EXPECT_THROW(explain_sweep("paramters"), UsageError);
  const auto schema = nlohmann::json::parse(sweep_schema());
  EXPECT_EQ(schema["properties"]["parameters"]["type"], "object");
  EXPECT_EQ(schema["properties"]["budget"]["properties"]["trials"]["type"], "integer");
}

}  // namespace
}  // namespace etude::sweep
