#include "sweep/sweep_file.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

#include "framework/config/document.h"
#include "framework/config/scope.h"
#include "framework/config/values.h"
#include "sweep/experiment_check.h"
#include "sweep/parameters.h"
#include "sweep/wandb.h"

namespace etude::sweep {
namespace {

using config::Node;
using config::Place;
using Kind = config::Value::Kind;

/// The keys whose values have a form of their own.
struct Trees {
  Node metric, parameters, set, enqueue;
  std::string cost;

  Trees() {
    set.kind = parameters.kind = Kind::kMap;
    enqueue.kind = Kind::kList;
  }
};

constexpr const char* kMetricSchema = R"({"anyOf": [
  {"$ref": "#/$defs/metric"}, {"type": "array", "items": {"$ref": "#/$defs/metric"}, "minItems": 1}]})";
constexpr const char* kSetSchema = R"({"anyOf": [{"type": ["object", "null"]},
  {"type": "array", "items": {"type": "string"}}]})";
constexpr const char* kEnqueueSchema = R"({"type": "array", "items": {"type": "object"}})";
constexpr const char* kParametersSchema = R"({"type": "object", "additionalProperties": {"anyOf": [
  {"type": "array", "minItems": 1},
  {"type": "object", "properties": {
    "type": {"enum": ["int", "float", "categorical"], "description": "Default: int where all numbers are integers."},
    "low": {"type": "number", "description": "The lower end, included."},
    "high": {"type": "number", "description": "The upper end, included."},
    "log": {"type": "boolean", "description": "Whether ratios count instead of differences."},
    "step": {"type": ["number", "null"], "description": "Only low, low + step, ... are tried."},
    "values": {"type": "array", "minItems": 1, "description": "What to choose from."},
    "when": {"type": "object", "description": "Earlier parameters, and their values with which this one exists."}}}]}})";
constexpr const char* kMetricDefinition = R"({"anyOf": [{"type": "string"}, {"type": "object", "properties": {
  "name": {"type": "string", "description": "A figure of an evaluation: eval_loss_per_note."},
  "goal": {"enum": ["minimize", "maximize"], "default": "minimize"}},
  "required": ["name"], "additionalProperties": false}]})";

void describe_limits(config::Section& section, SweepFile& sweep, Trees& trees) {
  config::Section& budget = section.section("budget", "What the sweep may use; whatever is spent first ends it.");
  budget.integer("trials", sweep.budget.trials, {0, 1'000'000'000}, "Trials to begin; 0 for no bound.");
  budget.duration("wall", sweep.budget.wall,
                  "Time since the sweep began, its pauses left out, such as 12h; 0s for no "
                  "bound.");
  budget.number("gpu_hours", sweep.budget.gpu_hours, {0, 1e12}, "GPU-hours over all trials; 0 for no bound.");
  budget.number("core_hours", sweep.budget.core_hours, {0, 1e12}, "Core-hours over all trials; 0 for no bound.");
  budget.text("cost", trees.cost,
              "What it may cost by the cluster file's prices, such as 150 USD; empty for no bound.");
  config::Section& resources = section.section("resources", "What each trial has, and how many run at once.");
  resources.integer("ranks_per_trial", sweep.resources.ranks_per_trial, {0, 1'000'000},
                    "Ranks of a trial; 0 takes what the cluster file says.");
  resources.integer("max_concurrent_trials", sweep.resources.max_concurrent_trials, {1, 100'000},
                    "Trials that run at the same time.");
  resources.integer("max_restarts", sweep.resources.max_restarts, {0, 100'000},
                    "How often a trial that was lost is begun again from its checkpoint, before it fails.");
}

void describe(config::Section& section, SweepFile& sweep, Trees& trees) {
  section.text("name", sweep.name, "What the study is called; default the file's name without its ending.");
  section.path("experiment", sweep.experiment, "The experiment whose options are searched.");
  section.text(
      "storage", sweep.storage,
      "Where the study is kept, as Optuna spells it: sqlite:///FILE, postgresql://…, or the path of a journal.");
  section.path("folder", sweep.folder, "For the controller's files and the trials' run folders; default sweeps/NAME.");

  std::vector<std::pair<std::string, std::function<void(config::Section&)>>> samplers, pruners;
  for (const auto& [name, sampler] : sweep.samplers) {
    samplers.emplace_back(name, [one = sampler.get()](config::Section& keys) { one->describe(keys); });
  }
  for (const auto& [name, pruner] : sweep.pruners) {
    pruners.emplace_back(name, [one = pruner.get()](config::Section& keys) { one->describe(keys); });
  }
  config::Section& sampler = section.section("sampler", "How values are proposed.");
  sampler.variant("kind", sweep.sampler_kind, std::move(samplers), "The method.");
  sampler.integer("seed", sweep.seed, {0, std::numeric_limits<std::int64_t>::max()},
                  "The same seed and the same results give the same proposals.");
  section.section("pruner", "Which trials end before they are done.")
      .variant("kind", sweep.pruner_kind, std::move(pruners), "The rule.");
  describe_limits(section, sweep, trees);
  config::Section& controller = section.section("controller", "How the controller is reached by trials and people.");
  controller.text("host", sweep.controller.host,
                  "The address to listen on; empty takes this machine alone where trials run on it, else all.");
  controller.integer("port", sweep.controller.port, {0, 65535}, "The port; 0 takes a free one.");
  controller.path("certificate", sweep.controller.certificate, "A PEM file; together with a key it speaks HTTPS.");
  controller.path("key", sweep.controller.key, "The certificate's private key, PEM.");
  controller.path("token_file", sweep.controller.token_file,
                  "Holds the token that is asked for; empty makes one in the sweep's folder.");
  controller.duration("lease", sweep.controller.lease,
                      "How long a trial may say nothing before it is looked for, such as 2m.");
}

config::FreeKeys free_keys(Trees& trees) {
  return {
      {"metric", "What is searched for: {name: eval_loss, goal: minimize}, or a list of these for several objectives.",
       "map, or list of maps", kMetricSchema, &trees.metric},
      {"set", "Options of the experiment that all trials share: {train.steps: 5000}, or a list of KEY=VALUE.",
       "map, or list of text", kSetSchema, &trees.set},
      {"parameters",
       "What is searched: for each option of the experiment {type: int or float, low, high, log, step} or {values: "
       "[a, b]}, and with when: {model.kind: gpt2} only where an earlier parameter has that value (or one of a list).",
       "map of parameters", kParametersSchema, &trees.parameters},
      {"enqueue", "Configurations to try before any others, each with values of some parameters.", "list of maps",
       kEnqueueSchema, &trees.enqueue},
  };
}

/// Where a key stands; the beginning of the file where it does not.
Place place_of(const Node& tree, const std::string& section, const std::string& key = "") {
  const Node::Entry* entry = tree.kind == Kind::kMap ? tree.find(section) : nullptr;
  if (entry == nullptr) return {};
  if (key.empty() || entry->node.kind != Kind::kMap) return entry->place;
  const Node::Entry* inner = entry->node.find(key);
  return inner == nullptr ? entry->place : inner->node.place;
}

/// Reads what config::Section cannot: the trees, and what several keys must have in common.
class Reader {
 public:
  Reader(SweepFile& sweep, Trees& trees, std::string file, const ExperimentOptions& options)
      : sweep_(sweep), trees_(trees), file_(std::move(file)), options_(options) {}

  void read(const Node& tree, const config::Remark& complain, const config::Remark& warn) {
    const config::Remark counting = [&](const Place& place, const std::string& what) {
      faults_ += 1;
      complain(place, what);
    };
    const Critic critic{counting, warn};
    critic_ = &critic;
    read_name(tree);
    read_metric(tree);
    read_set(trees_.set, "");
    read_parameters(tree);
    for (const Node& configuration : list_of(trees_.enqueue, "enqueue", "maps of values")) read_enqueued(configuration);
    read_cost(tree);
    check_controller(tree);
    resolve_sampler(tree);
    resolve_pruner(tree);
    // What goes together can only be seen where each is right by itself.
    if (faults_ == 0) check_kinds(tree);
    if (faults_ == 0 && options_) {
      const config::Section& options = options_(sweep_);
      check_against_experiment(options, sweep_.space, fixed_, places_, critic);
      if (const auto steps = steps_of_trials(options, sweep_.space, fixed_)) sweep_.sampler().set_steps(*steps);
    }
    critic_ = nullptr;
  }

 private:
  void complain(const Place& place, const std::string& what) const { critic_->complain(place, what); }

  void read_name(const Node& tree) {
    if (sweep_.name.empty()) sweep_.name = std::filesystem::path(file_).stem().string();
    constexpr std::size_t kLongest = 512;  // in Optuna's schema
    const bool is_path = sweep_.name == "." || sweep_.name == ".." || sweep_.name.find('/') != std::string::npos;
    const bool has_control =
        std::any_of(sweep_.name.begin(), sweep_.name.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; });
    if (sweep_.name.empty() || sweep_.name.size() > kLongest || is_path || has_control) {
      complain(place_of(tree, "name"),
               fmt::format("'name' names a folder and a study: 1 to {} characters without '/', found {}", kLongest,
                           config::yaml_text(sweep_.name)));
    }
    if (sweep_.folder.empty()) sweep_.folder = std::filesystem::path("sweeps") / sweep_.name;
    if (sweep_.experiment.empty()) {
      complain(place_of(tree, "experiment"),
               "'experiment' is missing: the YAML file whose options are searched (or "
               "--set experiment=FILE)");
    }
  }

  static std::vector<Node> one_or_more(const Node& node) {
    return node.kind == Kind::kList ? node.list : std::vector<Node>{node};
  }

  const std::vector<Node>& list_of(const Node& node, const char* key, const char* what) const {
    if (node.kind != Kind::kList && node.kind != Kind::kNull) {
      complain(node.place, fmt::format("'{}' is a list of {}, found {}", key, what, config::found(node.value())));
    }
    return node.list;
  }

  // ---- metric ----

  void read_metric(const Node& tree) {
    const bool none = trees_.metric.kind == Kind::kNull ||
                      (trees_.metric.kind != Kind::kScalar && trees_.metric.list.empty() && trees_.metric.map.empty());
    if (none) {
      return complain(place_of(tree, "metric"),
                      "'metric' is missing: what is searched for, such as {name: eval_loss, goal: minimize}");
    }
    for (const Node& node : one_or_more(trees_.metric)) read_objective(node);
  }

  void read_objective(const Node& node) {
    Objective objective;
    Place place = node.place;
    if (node.kind == Kind::kScalar) {
      objective.name = node.scalar;
    } else if (node.kind == Kind::kMap) {
      for (const Node::Entry& entry : node.map) {
        if (entry.key == "name" && entry.node.kind == Kind::kScalar) {
          objective.name = entry.node.scalar;
          place = entry.node.place;
        } else if (entry.key == "goal") {
          read_goal(entry.node, objective);
        } else if (entry.key != "name") {
          complain(entry.place, fmt::format("unknown key 'metric.{}'; known here: name, goal", entry.key));
        }
      }
    }
    if (objective.name.empty()) {
      return complain(place, "a metric has a name, such as {name: eval_loss, goal: minimize}");
    }
    for (const Objective& known : sweep_.objectives) {
      if (known.name == objective.name) return complain(place, fmt::format("the metric '{}' twice", objective.name));
    }
    sweep_.objectives.push_back(std::move(objective));
  }

  void read_goal(const Node& node, Objective& objective) const {
    if (node.scalar == "maximize" || node.scalar == "maximise") {
      objective.direction = Direction::kMaximize;
    } else if (node.scalar != "minimize" && node.scalar != "minimise") {
      complain(node.place,
               fmt::format("'metric.goal': expected minimize or maximize, found {}", config::found(node.value())));
    }
  }

  // ---- set ----

  void read_set(const Node& node, const std::string& path) {
    if (node.kind == Kind::kMap && (path.empty() || !node.map.empty())) {
      for (const Node::Entry& entry : node.map) read_set(entry.node, config::joined(path, entry.key));
    } else if (!path.empty()) {
      fix(path, node);
    } else if (node.kind == Kind::kList) {
      for (const Node& text : node.list) read_assignment(text);
    } else if (node.kind != Kind::kNull) {
      complain(node.place,
               fmt::format("'set' is a map of options, or a list of KEY=VALUE, found {}", config::found(node.value())));
    }
  }

  void read_assignment(const Node& text) {
    try {
      if (text.kind != Kind::kScalar) {
        throw config::TreeError{text.place, "expected KEY=VALUE, found " + config::found(text.value())};
      }
      config::parse_assignment(text.scalar, 0);  // refuses what is none
      const std::size_t equals = text.scalar.find('=');
      const std::string value = text.scalar.substr(equals + 1);
      Node node = config::parse_tree(value, 0);
      if (value.empty()) node.kind = Kind::kScalar;
      node.place = text.place;
      fix(text.scalar.substr(0, equals), std::move(node));
    } catch (const config::TreeError& error) {
      complain(text.place, "'set': " + error.what);
    }
  }

  void fix(const std::string& name, Node value) {
    sweep_.assignments.push_back(name + "=" + config::flow_text(value));
    fixed_[name] = std::move(value);
  }

  // ---- parameters ----

  void read_parameters(const Node& tree) {
    const Node& parameters = trees_.parameters;
    if (parameters.kind != Kind::kMap || parameters.map.empty()) {
      const bool other = parameters.kind == Kind::kList || parameters.kind == Kind::kScalar;
      return complain(place_of(tree, "parameters"),
                      fmt::format("'parameters' {}: what is searched, such as {{train.lr: {{low: 1.0e-5, high: 1.0e-2, "
                                  "log: true}}}}",
                                  other ? "is a map" : "is missing"));
    }
    for (const Node::Entry& entry : parameters.map) {
      places_[entry.key] = entry.place;
      if (fixed_.contains(entry.key)) {
        complain(entry.place, fmt::format("'{}' is searched, but also fixed under 'set'; remove one", entry.key));
      }
    }
    sweep_.space = sweep::read_parameters(parameters, *critic_);
  }

  // ---- enqueue ----

  void read_enqueued(const Node& configuration) {
    if (configuration.kind != Kind::kMap) {
      return complain(configuration.place, fmt::format("'enqueue' is a list of maps of values, found {} in it",
                                                       config::found(configuration.value())));
    }
    std::map<std::string, Json> values;
    Assignment internal;
    take_values(configuration, "", values, internal);
    for (const auto& [name, value] : internal) {
      for (const auto& [decides, allowed] : sweep_.space.find(name)->when) {
        const auto given = internal.find(decides);
        if (given == internal.end() || std::find(allowed.begin(), allowed.end(), given->second) != allowed.end()) {
          continue;
        }
        complain(configuration.place, fmt::format("'enqueue': there is no '{}' where '{}' is {}", name, decides,
                                                  dump_json(values.at(decides))));
      }
    }
    sweep_.enqueue.push_back(std::move(values));
  }

  void take_values(const Node& map, const std::string& path, std::map<std::string, Json>& values,
                   Assignment& internal) const {
    for (const Node::Entry& entry : map.map) {
      const std::string name = config::joined(path, entry.key);
      const SearchSpace::Entry* parameter = sweep_.space.find(name);
      if (parameter == nullptr && entry.node.kind == Kind::kMap) {
        take_values(entry.node, name, values, internal);
      } else if (parameter == nullptr) {
        if (places_.contains(name)) continue;  // it is complained of itself
        std::vector<std::string> known;
        for (const auto& [other, place] : places_) known.push_back(other);
        const std::string meant = config::nearest(name, known);
        complain(entry.place, fmt::format("'enqueue': there is no parameter '{}'{}", name,
                                          meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant)));
      } else if (const auto value = parameter->distribution->internal(value_of(entry.node))) {
        internal[name] = *value;
        values[name] = parameter->distribution->external(*value);
      } else {
        complain(entry.node.place,
                 fmt::format("'enqueue': {} is no value of '{}'", config::found(entry.node.value()), name));
      }
    }
  }

  // ---- what several keys have in common ----

  void read_cost(const Node& tree) {
    if (trees_.cost.empty()) return;
    const std::size_t end = trees_.cost.find_last_of("0123456789.");
    const std::size_t word = trees_.cost.find_first_not_of(' ', end == std::string::npos ? 0 : end + 1);
    const std::string currency = word == std::string::npos ? "" : trees_.cost.substr(word);
    double cost = 0;
    const bool read =
        end != std::string::npos && config::parse_number(trees_.cost.substr(0, end + 1), cost) == config::Parse::kGood;
    if (!read || !std::isfinite(cost) || cost < 0 || currency.find(' ') != std::string::npos) {
      return complain(
          place_of(tree, "budget", "cost"),
          fmt::format("'budget.cost': expected an amount and its currency, such as 150 USD, found '{}'", trees_.cost));
    }
    sweep_.budget.cost = cost;
    sweep_.budget.currency = currency;
  }

  void check_controller(const Node& tree) const {
    const ControllerOptions& controller = sweep_.controller;
    if (controller.certificate.empty() != controller.key.empty()) {
      complain(place_of(tree, "controller", controller.key.empty() ? "certificate" : "key"),
               "'controller': certificate and key come together");
    }
    if (!(controller.lease >= 1)) {
      complain(place_of(tree, "controller", "lease"), "'controller.lease': at least a second, such as 2m");
    }
  }

  /// The default takes one objective.
  void resolve_sampler(const Node& tree) {
    const Node::Entry* section = tree.kind == Kind::kMap ? tree.find("sampler") : nullptr;
    const bool chosen = section != nullptr && std::any_of(section->node.map.begin(), section->node.map.end(),
                                                          [](const Node::Entry& key) { return key.key != "seed"; });
    if (sweep_.objectives.size() > 1 && !chosen) sweep_.sampler_kind = "nsga2";
  }

  /// Population-based training decides for itself who goes on.
  void resolve_pruner(const Node& tree) {
    if (sweep_.sampler_kind != "pbt" || (tree.kind == Kind::kMap && tree.find("pruner") != nullptr)) return;
    for (const auto& [name, pruner] : sweep_.pruners) {
      if (name == "population") sweep_.pruner_kind = name;
    }
  }

  void check_kinds(const Node& tree) {
    std::vector<Direction> directions;
    for (const Objective& objective : sweep_.objectives) directions.push_back(objective.direction);
    const auto check = [&](const char* section, const auto& how) {
      try {
        how();
      } catch (const UsageError& error) {
        complain(place_of(tree, section), fmt::format("'{}': {}", section, error.what()));
      }
    };
    check("sampler", [&] { sweep_.sampler().check(sweep_.space, directions); });
    check("pruner", [&] { sweep_.pruner().check(directions); });
  }

  SweepFile& sweep_;
  Trees& trees_;
  std::string file_;
  const ExperimentOptions& options_;
  const Critic* critic_ = nullptr;
  int faults_ = 0;
  std::map<std::string, Node> fixed_;
  std::map<std::string, Place> places_;
};

using Load = std::function<void(config::Section&, const config::Hooks&)>;

std::unique_ptr<SweepFile> read(const std::string& file, const ExperimentOptions& options, const Load& load) {
  auto sweep = std::make_unique<SweepFile>();
  Trees trees;
  config::Section root;
  describe(root, *sweep, trees);
  Reader reader(*sweep, trees, file, options);
  config::Hooks hooks;
  hooks.free = free_keys(trees);
  hooks.warnings = &sweep->warnings;
  hooks.before = [](Node& tree, const config::Remark& complain, const config::Remark& warn) {
    translate(tree, {complain, warn});
  };
  hooks.after = [&](const Node& tree, const config::Remark& complain, const config::Remark& warn) {
    reader.read(tree, complain, warn);
  };
  load(root, hooks);
  return sweep;
}

template <typename Kinds>
auto made_of(const Kinds& kinds) {
  std::vector<std::pair<std::string, decltype(kinds[0].make())>> all;
  for (const auto& kind : kinds) all.emplace_back(kind.name, kind.make());
  return all;
}

template <typename Kinds>
auto& chosen(const Kinds& kinds, const std::string& chosen_name) {
  for (const auto& [name, one] : kinds) {
    if (name == chosen_name) return *one;
  }
  throw std::logic_error(fmt::format("nothing is called '{}'", chosen_name));
}

}  // namespace

SweepFile::SweepFile()
    : sampler_kind(sampler_kinds()[0].name),
      pruner_kind(pruner_kinds()[0].name),
      samplers(made_of(sampler_kinds())),
      pruners(made_of(pruner_kinds())) {}

Sampler& SweepFile::sampler() const { return chosen(samplers, sampler_kind); }
Pruner& SweepFile::pruner() const { return chosen(pruners, pruner_kind); }

std::unique_ptr<SweepFile> load_sweep(const std::filesystem::path& file, const std::vector<std::string>& assignments,
                                      const ExperimentOptions& options) {
  return read(file.string(), options,
              [&](config::Section& root, const config::Hooks& hooks) { config::load(root, file, assignments, hooks); });
}

std::unique_ptr<SweepFile> load_sweep_text(const std::string& yaml, const std::string& name,
                                           const std::vector<std::string>& assignments,
                                           const ExperimentOptions& options) {
  return read(name, options, [&](config::Section& root, const config::Hooks& hooks) {
    config::load_text(root, yaml, name, assignments, hooks);
  });
}

std::string to_yaml(SweepFile& sweep) {
  Trees trees;
  const auto map = [](std::vector<Node::Entry> entries) {
    Node node;
    node.kind = Kind::kMap;
    node.map = std::move(entries);
    return node;
  };
  trees.metric.kind = Kind::kList;
  for (const Objective& objective : sweep.objectives) {
    const char* goal = objective.direction == Direction::kMinimize ? "minimize" : "maximize";
    trees.metric.list.push_back(map({{"name", {}, tree_of(objective.name)}, {"goal", {}, tree_of(goal)}}));
  }
  trees.set.kind = Kind::kList;
  for (const std::string& fixed : sweep.assignments) trees.set.list.push_back(tree_of(fixed));
  trees.parameters = parameters_tree(sweep.space);
  for (const auto& configuration : sweep.enqueue) {
    std::vector<Node::Entry> values;
    for (const auto& [name, value] : configuration) values.push_back({name, {}, tree_of(value)});
    trees.enqueue.list.push_back(map(std::move(values)));
  }
  const Budget& budget = sweep.budget;
  if (budget.cost > 0) trees.cost = fmt::format("{} {}", config::number_text(budget.cost), budget.currency);
  config::Section root;
  describe(root, sweep, trees);
  return config::to_yaml(root, free_keys(trees));
}

std::string explain_sweep(const std::string& key) {
  SweepFile sweep;
  Trees trees;
  config::Section root;
  describe(root, sweep, trees);
  return config::explain(root, key, free_keys(trees));
}

std::string sweep_schema() {
  SweepFile sweep;
  Trees trees;
  config::Section root;
  describe(root, sweep, trees);
  auto schema = nlohmann::ordered_json::parse(config::json_schema(root, "Etude sweep", free_keys(trees)));
  schema["$defs"]["metric"] = nlohmann::ordered_json::parse(kMetricDefinition);
  return schema.dump(2) + "\n";
}

}  // namespace etude::sweep
