#include "sweep/parameters.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <set>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/config/values.h"

namespace etude::sweep {
namespace {

using config::Node;
using Kind = config::Value::Kind;

constexpr double kLargestInteger = 0x1p53;  ///< up to which a double holds every integer

bool written_as_integer(const Node& node) {
  const std::string& text = node.scalar;
  const std::size_t sign = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  return node.kind == Kind::kScalar && text.size() > sign &&
         text.find_first_not_of("0123456789", sign) == std::string::npos;
}

std::string shown(const Json& value) { return value.is_string() ? value.get<std::string>() : dump_json(value); }

std::string shown(const Distribution& distribution) {
  if (!distribution.is_categorical()) {
    return fmt::format("{} to {}", shown(distribution.external(distribution.low)),
                       shown(distribution.external(distribution.high)));
  }
  std::vector<std::string> choices;
  for (const Json& choice : distribution.choices) choices.push_back(shown(choice));
  return config::enumerate(choices);
}

/// Reads one parameter after the other; a condition looks back at those before.
class Reader {
 public:
  explicit Reader(const Critic& critic) : critic_(critic) {}

  SearchSpace read(const Node& tree) {
    for (const Node::Entry& entry : tree.map) written_.insert(entry.key);
    for (const Node::Entry& entry : tree.map) {
      key_ = entry.key;
      if (std::optional<SearchSpace::Entry> read = parameter(entry)) {
        space_.entries.push_back(std::move(*read));
        check_reachable(entry);
      }
      seen_.insert(entry.key);
    }
    return std::move(space_);
  }

 private:
  void complain(const config::Place& place, const std::string& what) {
    critic_.complain(place, fmt::format("'parameters.{}': {}", key_, what));
    failed_ = true;
  }

  std::optional<SearchSpace::Entry> parameter(const Node::Entry& entry) {
    failed_ = false;
    constexpr std::size_t kLongestName = 512;  // in Optuna's schema
    if (entry.key.empty() || entry.key.size() > kLongestName) {
      complain(entry.place, fmt::format("a name has 1 to {} characters", kLongestName));
    }
    SearchSpace::Entry read{entry.key, nullptr, {}};
    std::optional<Distribution> distribution;
    if (entry.node.kind == Kind::kList) {
      distribution = categorical(entry.node);
    } else if (entry.node.kind == Kind::kMap) {
      check_keys(entry.node);
      const Node::Entry* values = entry.node.find("values");
      distribution = values != nullptr ? choices(entry.node, values->node) : range(entry);
      if (const Node::Entry* when = entry.node.find("when")) read.when = condition(when->node);
    } else {
      complain(entry.node.kind == Kind::kNull ? entry.place : entry.node.place,
               fmt::format("expected {{low: 1, high: 8}} or {{values: [a, b]}}, found {}; what all trials share stands "
                           "under 'set'",
                           config::found(entry.node.value())));
    }
    if (failed_ || !distribution) return std::nullopt;
    read.distribution = std::make_shared<const Distribution>(std::move(*distribution));
    return read;
  }

  void check_keys(const Node& node) {
    static const std::vector<std::string> known{"type", "low", "high", "log", "step", "values", "when"};
    for (const Node::Entry& entry : node.map) {
      if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
      const std::string meant = config::nearest(entry.key, known);
      complain(entry.place, meant.empty()
                                ? fmt::format("unknown key '{}'; known here: {}", entry.key, fmt::join(known, ", "))
                                : fmt::format("unknown key '{}'; did you mean '{}'?", entry.key, meant));
    }
  }

  // ---- values ----

  std::optional<Distribution> choices(const Node& node, const Node& values) {
    for (const char* key : {"low", "high", "log", "step"}) {
      if (const Node::Entry* extra = node.find(key)) {
        complain(extra->place, fmt::format("'{}' means nothing beside 'values'", key));
      }
    }
    if (const Node::Entry* type = node.find("type"); type != nullptr && type->node.scalar != "categorical") {
      complain(type->node.place,
               fmt::format("'values' are categorical, not '{}'; write low and high for a range", type->node.scalar));
    }
    return categorical(values);
  }

  std::optional<Distribution> categorical(const Node& values) {
    if (values.kind != Kind::kList || values.list.empty()) {
      complain(values.place, fmt::format("expected a list of values, found {}", config::found(values.value())));
      return std::nullopt;
    }
    std::vector<Json> choices;
    for (const Node& node : values.list) {
      Json value = value_of(node);
      if (std::find(choices.begin(), choices.end(), value) != choices.end()) {
        complain(node.place, fmt::format("the value {} stands there twice", shown(value)));
      }
      if (value.is_number_float() && std::isnan(value.get<double>())) {
        complain(node.place, "nan is no value to choose: it does not equal itself");
      }
      choices.push_back(std::move(value));
    }
    if (failed_) return std::nullopt;
    return Distribution::categorical(std::move(choices));
  }

  // ---- ranges ----

  std::optional<double> number(const Node& node, const char* key) {
    double value = 0;
    const bool is_number =
        node.kind == Kind::kScalar && config::parse_number(node.scalar, value) == config::Parse::kGood;
    if (is_number && std::isfinite(value)) return value;
    complain(node.place, fmt::format("{} is to be a number, found {}", key, config::found(node.value())));
    return std::nullopt;
  }

  std::optional<double> number(const Node::Entry& parameter, const char* key) {
    const Node::Entry* entry = parameter.node.find(key);
    if (entry != nullptr) return number(entry->node, key);
    complain(parameter.place, fmt::format("{} is missing: {{low: 1, high: 8}} or {{values: [a, b]}}", key));
    return std::nullopt;
  }

  bool truth(const Node::Entry* entry) {
    if (entry == nullptr) return false;
    const Json value = value_of(entry->node);
    if (value.is_boolean()) return value.get<bool>();
    complain(entry->node.place,
             fmt::format("{} is true or false, found {}", entry->key, config::found(entry->node.value())));
    return false;
  }

  /// Whether it is of integers: as `type` says, else as its numbers are written.
  bool is_integer(const Node& node) {
    if (const Node::Entry* type = node.find("type")) {
      const std::string& word = type->node.scalar;
      if (word == "int" || word == "integer") return true;
      if (word == "float" || word == "number") return false;
      complain(type->node.place, word == "categorical" ? "a categorical parameter has 'values'"
                                                       : fmt::format("type is int, float or categorical, found {}",
                                                                     config::found(type->node.value())));
      return false;
    }
    for (const char* key : {"low", "high", "step"}) {
      const Node::Entry* entry = node.find(key);
      if (entry != nullptr && !written_as_integer(entry->node)) return false;
    }
    return true;
  }

  std::optional<Distribution> range(const Node::Entry& entry) {
    const Node& node = entry.node;
    const bool integer = is_integer(node);
    const std::optional<double> low = number(entry, "low"), high = number(entry, "high");
    const Node::Entry* step_entry = node.find("step");
    std::optional<double> step;
    if (step_entry != nullptr && step_entry->node.kind != Kind::kNull) step = number(step_entry->node, "step");
    const bool log = truth(node.find("log"));
    if (!low || !high || failed_) return std::nullopt;

    const auto place = [&](const char* key) { return node.find(key)->node.place; };
    if (*low > *high) complain(place("low"), fmt::format("low ({}) is above high ({})", *low, *high));
    if (step && !(*step > 0)) complain(place("step"), fmt::format("a step is above 0, found {}", *step));
    if (log && !(*low > 0)) complain(place("low"), fmt::format("low is above 0 where log is true, found {}", *low));
    if (log && step && !(integer && *step == 1)) {
      complain(place("step"), "log and step do not go together; leave one out");
    }
    if (!std::isfinite(*high - *low)) complain(place("high"), "the range is wider than a number can be");
    if (integer) {
      for (const auto& [key, value] : {std::pair("low", low), std::pair("high", high), std::pair("step", step)}) {
        const bool fits = !value || (*value == std::floor(*value) && std::abs(*value) <= kLargestInteger);
        if (!fits) complain(place(key), fmt::format("{} of an int is an integer up to 2^53, found {}", key, *value));
      }
    }
    if (failed_) return std::nullopt;
    const double last = step ? last_on_grid(*low, *high, *step) : *high;
    if (last != *high) {
      critic_.warn(place("high"),
                   fmt::format("'parameters.{}': high ({}) is not a whole number of steps above low; the "
                               "last value is {}",
                               key_, *high, last));
    }
    return integer ? Distribution::integer(*low, last, log, step.value_or(1))
                   : Distribution::real(*low, last, log, step);
  }

  /// Optuna moves the upper end onto the grid, and takes no study in which it lies elsewhere for the same.
  static double last_on_grid(double low, double high, double step) {
    const double count = *Distribution::real(low, high, false, step).count();
    const double last = low + (count - 1) * step;
    // What is a decimal number in the file is to stay one: 0.7, not 0.7000000000000001.
    return std::min(high, std::strtod(fmt::format("{:.15g}", last).c_str(), nullptr));
  }

  // ---- conditions ----

  std::map<std::string, std::vector<double>> condition(const Node& node) {
    std::map<std::string, std::vector<double>> all;
    if (node.kind != Kind::kMap) {
      complain(node.place, fmt::format("'when' is a map of earlier parameters to values, such as {{model.kind: gpt2}}, "
                                       "found {}",
                                       config::found(node.value())));
      return all;
    }
    for (const Node::Entry& entry : node.map) {
      const SearchSpace::Entry* decides = space_.find(entry.key);
      if (decides == nullptr) {
        complain_of_name(entry);
      } else {
        all[entry.key] = allowed(entry, *decides->distribution);
      }
    }
    return all;
  }

  void complain_of_name(const Node::Entry& entry) {
    if (seen_.contains(entry.key)) return;  // it is complained of itself
    const std::vector<std::string> earlier(seen_.begin(), seen_.end());
    const std::string meant = config::nearest(entry.key, earlier);
    if (entry.key == key_) {
      complain(entry.place, "a parameter cannot decide about itself");
    } else if (written_.contains(entry.key)) {
      complain(entry.place, fmt::format("'{}' stands further below; move it above this one", entry.key));
    } else {
      complain(entry.place, fmt::format("there is no parameter '{}' above{}", entry.key,
                                        meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant)));
    }
  }

  std::vector<double> allowed(const Node::Entry& entry, const Distribution& decides) {
    std::vector<double> values;
    if (!decides.count()) {
      complain(entry.place, fmt::format("'{}' is a continuum; only values that are counted can decide", entry.key));
      return values;
    }
    const std::vector<Node> one{entry.node};
    const std::vector<Node>& nodes = entry.node.kind == Kind::kList ? entry.node.list : one;
    if (nodes.empty()) complain(entry.node.place, fmt::format("no value of '{}' is given", entry.key));
    for (const Node& node : nodes) {
      const std::optional<double> value = decides.internal(value_of(node));
      if (value) {
        if (std::find(values.begin(), values.end(), *value) == values.end()) values.push_back(*value);
      } else {
        complain(node.place,
                 fmt::format("'{}' is never {}; it is {}", entry.key, config::found(node.value()), shown(decides)));
      }
    }
    std::sort(values.begin(), values.end());
    return values;
  }

  void check_reachable(const Node::Entry& entry) {
    for (const auto& [name, values] : conditions(space_, space_.entries.back())) {
      if (!values.empty()) continue;
      complain(entry.node.find("when")->place,
               fmt::format("these conditions are never met together: they leave no value of '{}'", name));
    }
  }

  const Critic& critic_;
  SearchSpace space_;
  std::string key_;             ///< what is being read
  std::set<std::string> seen_;  ///< what was read before, the faulty included
  std::set<std::string> written_;
  bool failed_ = false;
};

Node map_node() {
  Node node;
  node.kind = Kind::kMap;
  return node;
}

Node::Entry number_entry(const char* key, double value, const Distribution& distribution) {
  return {key, {}, tree_of(distribution.kind == Distribution::Kind::kInt ? distribution.external(value) : Json(value))};
}

}  // namespace

Json value_of(const Node& node) {
  if (node.kind == Kind::kNull) return nullptr;
  if (node.kind != Kind::kScalar) return config::flow_text(node);
  const std::string& text = node.scalar;
  if (node.quoted) return text;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  std::int64_t integer = 0;
  if (written_as_integer(node) && config::parse_integer(text, integer) == config::Parse::kGood) return integer;
  double number = 0;
  if (config::parse_number(text, number) == config::Parse::kGood) return number;
  return text;
}

Node tree_of(const Json& value) {
  Node node;
  node.kind = value.is_null() ? Kind::kNull : Kind::kScalar;
  node.quoted = value.is_string();
  if (value.is_string()) {
    node.scalar = value.get<std::string>();
  } else if (value.is_number_float()) {
    node.scalar = config::number_text(value.get<double>());
  } else if (!value.is_null()) {
    node.scalar = value.dump();
  }
  return node;
}

std::string assignment(const std::string& name, const Json& value) {
  // A list or a map that was one of the values is text that begins so; other text of that kind is only quoted.
  const std::string text = value.is_string() ? value.get<std::string>() : "";
  if (text.starts_with('[') || text.starts_with('{')) {
    try {
      if (config::parse_tree(text, 0).kind != Kind::kScalar) return name + "=" + text;
    } catch (const config::TreeError&) {  // then it is text
    }
  }
  return name + "=" + config::flow_text(tree_of(value));
}

SearchSpace read_parameters(const Node& tree, const Critic& critic) { return Reader(critic).read(tree); }

Node parameters_tree(const SearchSpace& space) {
  Node tree = map_node();
  for (const SearchSpace::Entry& entry : space.entries) {
    const Distribution& distribution = *entry.distribution;
    Node node = map_node();
    if (distribution.is_categorical()) {
      Node values;
      values.kind = Kind::kList;
      for (const Json& choice : distribution.choices) values.list.push_back(tree_of(choice));
      node.map.push_back({"values", {}, std::move(values)});
    } else {
      const bool integer = distribution.kind == Distribution::Kind::kInt;
      node.map.push_back({"type", {}, tree_of(integer ? "int" : "float")});
      node.map.push_back(number_entry("low", distribution.low, distribution));
      node.map.push_back(number_entry("high", distribution.high, distribution));
      if (distribution.log) node.map.push_back({"log", {}, tree_of(true)});
      if (distribution.step && !(integer && *distribution.step == 1)) {
        node.map.push_back(number_entry("step", *distribution.step, distribution));
      }
    }
    if (!entry.when.empty()) {
      Node when = map_node();
      for (const auto& [name, values] : entry.when) {
        Node list;
        list.kind = Kind::kList;
        for (const double value : values) list.list.push_back(tree_of(space.find(name)->distribution->external(value)));
        when.map.push_back({name, {}, list.list.size() == 1 ? std::move(list.list[0]) : std::move(list)});
      }
      node.map.push_back({"when", {}, std::move(when)});
    }
    tree.map.push_back({entry.name, {}, std::move(node)});
  }
  return tree;
}

std::map<std::string, std::vector<double>> conditions(const SearchSpace& space, const SearchSpace::Entry& entry) {
  std::map<std::string, std::vector<double>> all;
  const auto restrict_to = [&](const std::string& name, const std::vector<double>& values) {
    const auto [known, is_new] = all.emplace(name, values);
    if (is_new) return;
    std::erase_if(known->second,
                  [&](double value) { return std::find(values.begin(), values.end(), value) == values.end(); });
  };
  std::set<std::string> seen;
  std::vector<const SearchSpace::Entry*> to_do{&entry};
  while (!to_do.empty()) {
    const SearchSpace::Entry* next = to_do.back();
    to_do.pop_back();
    for (const auto& [name, values] : next->when) {
      restrict_to(name, values);
      const SearchSpace::Entry* decides = space.find(name);
      if (decides != nullptr && seen.insert(name).second) to_do.push_back(decides);
    }
  }
  return all;
}

}  // namespace etude::sweep
