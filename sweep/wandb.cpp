#include "sweep/wandb.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/config/scope.h"
#include "framework/config/values.h"
#include "sweep/sampler.h"

namespace etude::sweep {
namespace {

using config::Node;
using config::Place;
using Kind = config::Value::Kind;

Node scalar(const Json& value, const Place& place) {
  Node node = tree_of(value);
  node.place = place;
  return node;
}

Node map_at(const Place& place) {
  Node node;
  node.place = place;
  node.kind = Kind::kMap;
  return node;
}

void put(Node& map, const char* key, Node node) {
  const Place place = node.place;
  map.map.push_back({key, place, std::move(node)});
}

/// Takes an entry out of a map.
std::optional<Node::Entry> take(Node& map, const std::string& key) {
  Node::Entry* found = map.find(key);
  if (found == nullptr) return std::nullopt;
  Node::Entry entry{key, found->place, std::move(found->node)};
  std::erase_if(map.map, [&](const Node::Entry& other) { return other.key == key; });
  return entry;
}

std::optional<double> number(const Node* node) {
  double value = 0;
  const bool read = node != nullptr && node->kind == Kind::kScalar &&
                    config::parse_number(node->scalar, value) == config::Parse::kGood && std::isfinite(value);
  return read ? std::optional(value) : std::nullopt;
}

const Node* value_at(const Node& map, const char* key) {
  const Node::Entry* entry = map.find(key);
  return entry == nullptr ? nullptr : &entry->node;
}

// ---- one parameter ----

class ParameterTranslator {
 public:
  ParameterTranslator(std::string name, Node& spec, const Critic& critic)
      : name_(std::move(name)), spec_(spec), critic_(critic) {}

  /// False where it was complained of.
  bool translate() {
    take_probabilities();
    const std::optional<Node::Entry> distribution = take(spec_, "distribution");
    if (distribution) translate_distribution(*distribution);
    rename("min", "low");
    rename("max", "high");
    rename("q", "step");
    return !refused_;
  }

 private:
  void complain(const Place& place, const std::string& what) {
    critic_.complain(place, fmt::format("'parameters.{}': {}", name_, what));
    refused_ = true;
  }

  void rename(const char* theirs, const char* ours) {
    std::optional<Node::Entry> entry = take(spec_, theirs);
    if (!entry) return;
    if (spec_.find(ours) != nullptr) {
      return complain(entry->place, fmt::format("'{}' and '{}' are the same; remove one", theirs, ours));
    }
    entry->key = ours;
    spec_.map.push_back(std::move(*entry));
  }

  void take_probabilities() {
    const std::optional<Node::Entry> entry = take(spec_, "probabilities");
    if (!entry) return;
    const std::vector<Node>& list = entry->node.list;
    const bool alike = !list.empty() && std::all_of(list.begin(), list.end(), [&](const Node& node) {
      return number(&node).has_value() && number(&node) == number(&list[0]);
    });
    if (!alike) {
      complain(entry->place,
               "values are not drawn with given probabilities here; a sampler finds out which are good. "
               "Remove 'probabilities'");
    }
  }

  void translate_distribution(const Node::Entry& entry) {
    const std::string& kind = entry.node.scalar;
    const auto is = [&](const char* name) { return kind == name; };
    if (is("constant") || is("categorical") || is("categorical_w_probabilities")) {
      need(entry, is("constant") ? "value" : "values");
    } else if (is("int_uniform")) {
      set_type("int", entry.node.place);
    } else if (is("uniform") || is("q_uniform")) {
      if (is("uniform") || !make_grid_of_integers(entry)) set_type("float", entry.node.place);
    } else if (is("log_uniform_values") || is("inv_log_uniform_values")) {  // 1/x is log-uniform where x is
      set_log(entry);
    } else if (is("log_uniform")) {
      raise(entry, false);
    } else if (is("inv_log_uniform")) {
      raise(entry, true);
    } else if (is("q_log_uniform") || is("q_log_uniform_values")) {
      if (is("q_log_uniform")) raise(entry, false);
      const std::optional<Node::Entry> q = take(spec_, "q");
      if (q && number(&q->node) != 1.0) {
        return complain(q->place,
                        fmt::format("a logarithmic range has no steps here but those of integers (q: 1); write q: 1, "
                                    "or the values that you mean, such as {{values: [{}]}}",
                                    fmt::join(doubled(number(&q->node).value_or(1)), ", ")));
      }
      round_to_integers();
      set_log(entry);
    } else if (is("normal") || is("q_normal") || is("log_normal") || is("q_log_normal") || is("beta") || is("q_beta")) {
      complain(entry.node.place, fmt::format("the distribution '{}' has no equal here, where every range has two ends; "
                                             "write low and high{}",
                                             kind, suggested_range(kind)));
      for (const char* key : {"mu", "sigma", "q", "a", "b"}) take(spec_, key);
      put(spec_, "low", scalar(0, entry.place));  // so that no missing end is complained of
      put(spec_, "high", scalar(1, entry.place));
    } else {
      const std::string meant = config::nearest(kind, kDistributions);
      complain(entry.node.place, fmt::format("there is no distribution {}{}", config::found(entry.node.value()),
                                             meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant)));
    }
  }

  void need(const Node::Entry& entry, const char* key) {
    if (spec_.find(key) == nullptr) {
      complain(entry.place, fmt::format("the distribution '{}' needs '{}'", entry.node.scalar, key));
    }
  }

  void set_type(const char* type, const Place& place) {
    if (spec_.find("type") == nullptr) put(spec_, "type", scalar(type, place));
  }

  void set_log(const Node::Entry& entry) {
    set_type("float", entry.node.place);
    if (spec_.find("log") == nullptr) put(spec_, "log", scalar(true, entry.node.place));
  }

  /// From exponents of e to what they mean.
  void raise(const Node::Entry& entry, bool inverse) {
    const std::optional<double> low = number(value_at(spec_, "min")), high = number(value_at(spec_, "max"));
    if (low && high) {
      const double from = std::exp(inverse ? -*high : *low), to = std::exp(inverse ? -*low : *high);
      if (*low > 0 && !inverse) {
        critic_.warn(entry.place,
                     fmt::format("'parameters.{}': min and max of {} are exponents of e, so this is {:.6g} "
                                 "to {:.6g}; {}_values takes the values themselves",
                                 name_, entry.node.scalar, from, to, entry.node.scalar));
      }
      spec_.find("min")->node = scalar(from, spec_.find("min")->node.place);
      spec_.find("max")->node = scalar(to, spec_.find("max")->node.place);
    }
    if (entry.node.scalar != "q_log_uniform") set_log(entry);
  }

  /// Of a logarithmic range that is rounded to integers.
  void round_to_integers() {
    for (const char* key : {"min", "max"}) {
      Node::Entry* entry = spec_.find(key);
      const std::optional<double> value = entry == nullptr ? std::nullopt : number(&entry->node);
      if (value) entry->node = scalar(std::max(1.0, std::round(*value)), entry->node.place);
    }
    put(spec_, "type", scalar("int", spec_.place));
  }

  /// W&B rounds to multiples of q, we step from the lower end: both ends become multiples. Whether all of it is
  /// integers.
  bool make_grid_of_integers(const Node::Entry& entry) {
    if (spec_.find("q") == nullptr) put(spec_, "q", scalar(1, entry.node.place));
    const std::optional<double> q = number(value_at(spec_, "q"));
    if (!q || !(*q > 0)) return false;
    bool integers = *q == std::round(*q);
    for (const char* key : {"min", "max"}) {
      Node::Entry* end = spec_.find(key);
      const std::optional<double> value = end == nullptr ? std::nullopt : number(&end->node);
      if (!value) continue;
      const double multiple = std::strtod(fmt::format("{:.15g}", std::round(*value / *q) * *q).c_str(), nullptr);
      integers = integers && multiple == std::round(multiple);
      end->node = scalar(multiple, end->node.place);
    }
    if (integers) set_type("int", entry.node.place);
    return integers;
  }

  /// Multiples of q from min to max, each about twice the one before.
  std::vector<double> doubled(double q) const {
    const double low = number(value_at(spec_, "min")).value_or(1), high = number(value_at(spec_, "max")).value_or(low);
    constexpr std::size_t kMost = 12;
    std::vector<double> values;
    for (double each = std::max(low, q); q > 0 && each <= high && values.size() < kMost; each *= 2) {
      values.push_back(std::strtod(fmt::format("{:.15g}", std::round(each / q) * q).c_str(), nullptr));
    }
    return values;
  }

  std::string suggested_range(const std::string& kind) const {
    const std::optional<double> mu = number(value_at(spec_, "mu")), sigma = number(value_at(spec_, "sigma"));
    const double low = mu.value_or(0) - 2 * sigma.value_or(1), high = mu.value_or(0) + 2 * sigma.value_or(1);
    if (kind == "normal" || kind == "q_normal")
      return fmt::format(", such as {{low: {:.6g}, high: {:.6g}}}", low, high);
    if (kind == "log_normal" || kind == "q_log_normal") {
      return fmt::format(", such as {{low: {:.6g}, high: {:.6g}, log: true}}", std::exp(low), std::exp(high));
    }
    return "";
  }

  inline static const std::vector<std::string> kDistributions{"constant",
                                                              "categorical",
                                                              "int_uniform",
                                                              "uniform",
                                                              "q_uniform",
                                                              "log_uniform",
                                                              "log_uniform_values",
                                                              "q_log_uniform",
                                                              "q_log_uniform_values",
                                                              "inv_log_uniform",
                                                              "inv_log_uniform_values"};

  std::string name_;
  Node& spec_;
  const Critic& critic_;
  bool refused_ = false;
};

/// Whether a map under `parameters` holds further parameters instead of describing one.
bool is_group(const Node& node) {
  static const std::vector<std::string> words{"type", "low", "high", "log",          "step", "values", "value",
                                              "when", "min", "max",  "distribution", "q",    "mu",     "sigma"};
  if (node.kind != Kind::kMap || node.map.empty()) return false;
  return std::all_of(node.map.begin(), node.map.end(), [&](const Node::Entry& entry) {
    return entry.node.kind == Kind::kMap && std::find(words.begin(), words.end(), entry.key) == words.end();
  });
}

/// Parameters by their flat names, each once: what stands twice, as a file's and an assignment's, is laid over.
void flatten(Node& from, const std::string& path, Node& to) {
  for (Node::Entry& entry : from.map) {
    const std::string name = config::joined(path, entry.key);
    Node::Entry* nested = entry.node.kind == Kind::kMap ? entry.node.find("parameters") : nullptr;
    if (nested != nullptr && nested->node.kind == Kind::kMap) {
      flatten(nested->node, name, to);
    } else if (is_group(entry.node)) {
      flatten(entry.node, name, to);
    } else if (Node::Entry* known = to.find(name)) {
      config::lay_over(known->node, std::move(entry.node));
    } else {
      to.map.push_back({name, entry.place, std::move(entry.node)});
    }
  }
}

void translate_parameters(Node& tree, const Critic& critic) {
  Node::Entry* parameters = tree.find("parameters");
  if (parameters == nullptr || parameters->node.kind != Kind::kMap) return;
  Node flat = map_at(parameters->node.place);
  flatten(parameters->node, "", flat);

  Node fixed = map_at(parameters->node.place);
  Node searched = map_at(parameters->node.place);
  std::vector<Node::Entry> refused;
  for (Node::Entry& entry : flat.map) {
    if (entry.node.kind == Kind::kMap) {
      if (!ParameterTranslator(entry.key, entry.node, critic).translate()) {
        refused.push_back(std::move(entry));
        continue;
      }
      std::optional<Node::Entry> value = take(entry.node, "value");
      if (value && entry.node.find("values") != nullptr) {
        critic.complain(value->place,
                        fmt::format("'parameters.{}': 'value' and 'values' together; remove one", entry.key));
      } else if (value && entry.node.find("when") == nullptr) {
        fixed.map.push_back({entry.key, entry.place, std::move(value->node)});
        continue;
      } else if (value) {  // a condition needs a parameter: one of a single choice
        Node values;
        values.place = value->node.place;
        values.kind = Kind::kList;
        values.list.push_back(std::move(value->node));
        put(entry.node, "values", std::move(values));
      }
    }
    searched.map.push_back(std::move(entry));
  }
  // What was complained of is not compared with the experiment too, unless nothing else is left.
  if (searched.map.empty()) searched.map = std::move(refused);
  parameters->node = std::move(searched);
  if (fixed.map.empty()) return;
  Node::Entry* set = tree.find("set");
  if (set == nullptr) {
    put(tree, "set", std::move(fixed));
  } else if (set->node.kind == Kind::kMap) {
    std::move(fixed.map.begin(), fixed.map.end(), std::back_inserter(set->node.map));
  } else {
    for (const Node::Entry& entry : fixed.map) {
      set->node.list.push_back(scalar(entry.key + "=" + config::flow_text(entry.node), entry.place));
    }
  }
}

// ---- the rest of the file ----

bool claim(Node& tree, const Node::Entry& theirs, const char* ours, const Critic& critic) {
  if (tree.find(ours) == nullptr) return true;
  critic.complain(theirs.place, fmt::format("'{}' and '{}' say the same; remove one", theirs.key, ours));
  return false;
}

/// W&B's is a Gaussian process.
const char* bayesian_sampler() {
  for (const char* name : {"gp", "tpe"}) {
    for (const SamplerKind& kind : sampler_kinds()) {
      if (std::string_view(kind.name) == name) return kind.name;
    }
  }
  return sampler_kinds()[0].name;
}

void translate_method(Node& tree, const Critic& critic) {
  const std::optional<Node::Entry> method = take(tree, "method");
  if (!method || !claim(tree, *method, "sampler", critic)) return;
  const std::string& word = method->node.scalar;
  Node sampler = map_at(method->place);
  if (word == "grid" || word == "random") {
    put(sampler, "kind", scalar(word, method->node.place));
  } else if (word == "bayes") {
    put(sampler, "kind", scalar(bayesian_sampler(), method->node.place));
  } else {
    return critic.complain(method->node.place, fmt::format("'method' is grid, random or bayes, found {}",
                                                           config::found(method->node.value())));
  }
  put(tree, "sampler", std::move(sampler));
}

void translate_run_cap(Node& tree, const Critic& critic) {
  std::optional<Node::Entry> cap = take(tree, "run_cap");
  if (!cap) return;
  Node::Entry* budget = tree.find("budget");
  if (budget == nullptr) {
    put(tree, "budget", map_at(cap->place));
    budget = tree.find("budget");
  }
  if (budget->node.kind != Kind::kMap || !claim(budget->node, *cap, "trials", critic)) return;
  put(budget->node, "trials", std::move(cap->node));
}

/// Hyperband as W&B runs it: one bracket, whose rungs count the reports of a run, and nobody stopped comes back. With
/// max_iter and s, which go before min_iter, the rungs are max_iter / eta, max_iter / eta², … s times.
void translate_early_terminate(Node& tree, const Critic& critic) {
  std::optional<Node::Entry> theirs = take(tree, "early_terminate");
  if (!theirs || theirs->node.kind == Kind::kNull || !claim(tree, *theirs, "pruner", critic)) return;
  Node& node = theirs->node;
  const auto complain = [&](const Place& place, const std::string& what) {
    critic.complain(place, "'early_terminate': " + what);
  };
  const std::optional<Node::Entry> type = take(node, "type");
  if (!type || type->node.scalar != "hyperband") {
    return complain(type ? type->node.place : theirs->place, "'type' is hyperband, the only one that W&B has");
  }
  const auto integer = [&](const char* key) -> std::optional<double> {
    const std::optional<Node::Entry> entry = take(node, key);
    if (!entry) return std::nullopt;
    const std::optional<double> value = number(&entry->node);
    constexpr double kMost = 1e9;
    if (value && *value >= 1 && *value <= kMost && *value == std::floor(*value)) return value;
    complain(entry->node.place,
             fmt::format("{} is an integer from 1 to 1e9, found {}", key, config::found(entry->node.value())));
    return std::nullopt;
  };
  const std::optional<double> eta = integer("eta"), brackets = integer("s"), most = integer("max_iter"),
                              least = integer("min_iter");
  const double reduction = eta.value_or(3);
  if (reduction < 2) return complain(theirs->place, "eta is at least 2");
  const bool from_above = most && brackets;
  if (!least && !from_above) return complain(theirs->place, "give min_iter, or max_iter together with s");
  const double all_rungs = std::pow(reduction, brackets.value_or(0));
  const double first = from_above ? std::max(1.0, std::floor(*most / all_rungs)) : *least;
  if (const std::optional<Node::Entry> strict = take(node, "strict")) {
    critic.warn(strict->place, "'early_terminate.strict' is not taken: a run is stopped only where it ranks too low");
  }
  for (const Node::Entry& entry : node.map) {
    complain(entry.place,
             fmt::format("unknown key '{}'; known here: type, min_iter, max_iter, s, eta, strict", entry.key));
  }
  Node pruner = map_at(theirs->place);
  const auto set = [&](const char* key, const Json& value) { put(pruner, key, scalar(value, theirs->place)); };
  set("kind", "successive_halving");
  set("unit", "report");
  set("min_step", static_cast<std::int64_t>(first));
  if (most) set("max_step", static_cast<std::int64_t>(from_above ? std::min(*most, first * all_rungs) : *most));
  set("reduction", static_cast<std::int64_t>(reduction));
  set("resume", false);
  put(tree, "pruner", std::move(pruner));
}

void drop_what_means_nothing(Node& tree, const Critic& critic) {
  for (const char* key : {"program", "command"}) {
    if (const std::optional<Node::Entry> entry = take(tree, key)) {
      critic.warn(entry->place, fmt::format("'{}' is not taken: each trial is 'etude train' of the experiment", key));
    }
  }
  for (const char* key : {"project", "entity", "description", "job", "image_uri", "scheduler", "launch", "apiVersion",
                          "kind", "$schema"}) {
    if (const std::optional<Node::Entry> entry = take(tree, key)) {
      critic.warn(entry->place, fmt::format("'{}' means nothing here and is left out", key));
    }
  }
  if (Node::Entry* controller = tree.find("controller")) {
    if (const std::optional<Node::Entry> type = take(controller->node, "type")) {
      critic.warn(type->place, "'controller.type' means nothing here and is left out");
    }
  }
  if (Node::Entry* metric = tree.find("metric")) {
    if (const std::optional<Node::Entry> entry = take(metric->node, "target")) {
      critic.warn(entry->place, "'metric.target' is not taken: a sweep ends with its budget");
    }
    for (const char* key : {"impute", "impute_while_running"}) {
      if (const std::optional<Node::Entry> entry = take(metric->node, key)) {
        critic.warn(entry->place, fmt::format("'metric.{}' is not taken: the sampler decides what it makes of trials "
                                              "without a result",
                                              key));
      }
    }
  }
}

}  // namespace

void translate(Node& tree, const Critic& critic) {
  if (tree.kind != Kind::kMap) return;
  drop_what_means_nothing(tree, critic);
  translate_method(tree, critic);
  translate_run_cap(tree, critic);
  translate_early_terminate(tree, critic);
  translate_parameters(tree, critic);
}

}  // namespace etude::sweep
