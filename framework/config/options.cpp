#include "framework/config/options.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>
#include <yaml-cpp/node/convert.h>
#include <yaml-cpp/node/node.h>

#include "framework/config/document.h"
#include "framework/config/values.h"

namespace etude::config {
namespace {

std::string range_end_text(std::int64_t value) { return fmt::format("{}", value); }
std::string range_end_text(double value) { return fmt::format("{}", value); }

template <typename Number>
void describe_range(Option& option, const Range<Number>& range) {
  using Limits = std::numeric_limits<Number>;
  if (range.low > Limits::lowest()) option.minimum = range_end_text(range.low);
  if (range.high < Limits::max()) option.maximum = range_end_text(range.high);
  if (!option.minimum.empty() && !option.maximum.empty()) {
    option.range = option.minimum + " to " + option.maximum;
  } else if (!option.minimum.empty()) {
    option.range = "at least " + option.minimum;
  } else if (!option.maximum.empty()) {
    option.range = "at most " + option.maximum;
  }
}

std::string complaint(const std::string& noun, const std::string& range, const std::string& what_was_found) {
  return fmt::format("expected {}{}, found {}", noun, range.empty() ? "" : " (" + range + ")", what_was_found);
}

template <typename Number, typename Parser>
bool read_in_range(const Value& value, const Range<Number>& range, Parser parse, Number& field) {
  Number parsed{};
  if (value.kind != Value::Kind::kScalar || parse(value.scalar, parsed) != Parse::kGood) return false;
  if (!(parsed >= range.low && parsed <= range.high)) return false;  // so written, NaN is in no range
  field = parsed;
  return true;
}

Option named(std::string name, std::string type, std::string sentence) {
  Option option;
  option.name = std::move(name);
  option.type = std::move(type);
  option.sentence = std::move(sentence);
  return option;
}

/// A scalar option whose value is text of some kind.
template <typename Text>
std::function<std::string(const Value&)> text_setter(Text& field, const std::string& noun) {
  return [&field, noun](const Value& value) -> std::string {
    if (value.kind == Value::Kind::kNull) return fmt::format("expected {}, found nothing (write \"\" for none)", noun);
    if (value.kind != Value::Kind::kScalar) return complaint(noun, "", found(value));
    field = value.scalar;
    return "";
  };
}

}  // namespace

Section::Section(std::string name, std::string sentence) : name_(std::move(name)), sentence_(std::move(sentence)) {}

void Section::require_new(const std::string& name) const {
  const auto has_name = [&](const auto& known) { return known.name == name; };
  const auto has_section = [&](const auto& known) { return known->name() == name; };
  if (std::any_of(options_.begin(), options_.end(), has_name) ||
      std::any_of(sections_.begin(), sections_.end(), has_section)) {
    throw std::logic_error(fmt::format("'{}' is described twice in section '{}'", name, name_));
  }
}

void Section::add(Option option) {
  require_new(option.name);
  option.default_value = option.get();
  options_.push_back(std::move(option));
}

void Section::integer(std::string name, std::int64_t& field, Range<std::int64_t> range, std::string sentence) {
  Option option = named(std::move(name), "integer", std::move(sentence));
  describe_range(option, range);
  option.set = [&field, range, limits = option.range](const Value& value) -> std::string {
    if (read_in_range(value, range, parse_integer, field)) return "";
    return complaint("an integer", limits, found(value));
  };
  option.get = [&field] { return fmt::format("{}", field); };
  add(std::move(option));
}

void Section::number(std::string name, double& field, Range<double> range, std::string sentence) {
  Option option = named(std::move(name), "number", std::move(sentence));
  describe_range(option, range);
  option.set = [&field, range, limits = option.range](const Value& value) -> std::string {
    if (read_in_range(value, range, parse_number, field)) return "";
    return complaint("a number", limits, found(value));
  };
  option.get = [&field] { return number_text(field); };
  add(std::move(option));
}

void Section::boolean(std::string name, bool& field, std::string sentence) {
  Option option = named(std::move(name), "boolean", std::move(sentence));
  option.set = [&field](const Value& value) -> std::string {
    if (value.kind == Value::Kind::kScalar && YAML::convert<bool>::decode(YAML::Node(value.scalar), field)) return "";
    return complaint("true or false", "", found(value));
  };
  option.get = [&field] { return field ? "true" : "false"; };
  add(std::move(option));
}

void Section::text(std::string name, std::string& field, std::string sentence) {
  Option option = named(std::move(name), "text", std::move(sentence));
  option.set = text_setter(field, "text");
  option.get = [&field] { return yaml_text(field); };
  add(std::move(option));
}

void Section::path(std::string name, std::filesystem::path& field, std::string sentence) {
  Option option = named(std::move(name), "path", std::move(sentence));
  option.set = text_setter(field, "a path");
  option.get = [&field] { return yaml_text(field.string()); };
  add(std::move(option));
}

void Section::duration(std::string name, double& seconds, std::string sentence) {
  Option option = named(std::move(name), "duration", std::move(sentence));
  option.set = [&seconds](const Value& value) -> std::string {
    if (value.kind == Value::Kind::kScalar && parse_duration(value.scalar, seconds) == Parse::kGood) return "";
    return complaint("a duration such as 90s, 15m, 12h, 2d, 1h30m or 12:00:00", "", found(value));
  };
  option.get = [&seconds] { return duration_text(seconds); };
  add(std::move(option));
}

void Section::integers(std::string name, std::vector<std::int64_t>& field, Range<std::int64_t> range,
                       std::size_t exactly, std::string sentence) {
  Option option = named(std::move(name), "list of integers", std::move(sentence));
  describe_range(option, range);
  option.exactly = exactly;
  const std::string noun = exactly > 0 ? fmt::format("a list of {} integers", exactly) : "a list of integers";
  option.set = [&field, range, exactly, noun, limits = option.range](const Value& value) -> std::string {
    if (value.kind != Value::Kind::kList || (exactly > 0 && value.list.size() != exactly)) {
      return complaint(noun, limits, found(value));
    }
    std::vector<std::int64_t> parsed(value.list.size());
    for (std::size_t i = 0; i < parsed.size(); ++i) {
      if (read_in_range(value.list[i], range, parse_integer, parsed[i])) continue;
      return complaint(noun, limits, fmt::format("{} as number {} of it", found(value.list[i]), i + 1));
    }
    field = std::move(parsed);
    return "";
  };
  option.get = [&field] { return fmt::format("[{}]", fmt::join(field, ", ")); };
  add(std::move(option));
}

void Section::list(std::string name, std::vector<std::string>& field, std::string sentence) {
  Option option = named(std::move(name), "list of text", std::move(sentence));
  option.set = [&field](const Value& value) -> std::string {
    const std::vector<Value> given = value.kind == Value::Kind::kScalar ? std::vector{value} : value.list;
    std::vector<std::string> parsed;
    for (const Value& text : given) {
      if (text.kind != Value::Kind::kScalar) return complaint("a list of text", "", found(text) + " in it");
      parsed.push_back(text.scalar);
    }
    if (value.kind == Value::Kind::kMap || value.kind == Value::Kind::kNull) {
      return complaint("a list of text ([] for none)", "", found(value));
    }
    field = std::move(parsed);
    return "";
  };
  option.get = [&field] {
    std::vector<std::string> texts;
    for (const std::string& text : field) texts.push_back(yaml_text(text));
    return fmt::format("[{}]", fmt::join(texts, ", "));
  };
  add(std::move(option));
}

void Section::texts(std::string name, std::map<std::string, std::string>& field, std::string sentence) {
  Option option = named(std::move(name), "map of text", std::move(sentence));
  option.set = [&field](const Value& value) -> std::string {
    if (value.kind != Value::Kind::kMap) return complaint("a map of text, such as {key: text}", "", found(value));
    std::map<std::string, std::string> parsed;
    for (const auto& [key, text] : value.map) {
      if (text.kind != Value::Kind::kScalar) return complaint(fmt::format("text for '{}'", key), "", found(text));
      parsed[key] = text.scalar;
    }
    field = std::move(parsed);
    return "";
  };
  option.get = [&field] {
    std::vector<std::string> entries;
    for (const auto& [key, text] : field) entries.push_back(yaml_text(key) + ": " + yaml_text(text));
    return fmt::format("{{{}}}", fmt::join(entries, ", "));
  };
  add(std::move(option));
}

void Section::choice_by_index(std::string name, std::vector<std::string> names, std::function<void(std::size_t)> set,
                              std::function<std::size_t()> get, std::string sentence) {
  Option option = named(std::move(name), "choice", std::move(sentence));
  option.range = enumerate(names);
  option.choices = names;
  option.set = [names, set = std::move(set), limits = option.range](const Value& value) -> std::string {
    const auto chosen = std::find(names.begin(), names.end(), value.scalar);
    if (value.kind == Value::Kind::kScalar && chosen != names.end()) {
      set(static_cast<std::size_t>(chosen - names.begin()));
      return "";
    }
    const std::string meant = nearest(value.scalar, names);
    return complaint(limits, "", found(value)) + (meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant));
  };
  option.get = [names, get = std::move(get), key = option.name] {
    const std::size_t index = get();
    if (index >= names.size()) throw std::logic_error(fmt::format("'{}' holds a value that has no name", key));
    return yaml_text(names[index]);
  };
  add(std::move(option));
}

Section& Section::section(std::string name, std::string sentence) {
  require_new(name);
  return *sections_.emplace_back(std::make_unique<Section>(std::move(name), std::move(sentence)));
}

void Section::variant(std::string name, std::string& field,
                      std::vector<std::pair<std::string, std::function<void(Section&)>>> alternatives,
                      std::string sentence) {
  if (variant_) throw std::logic_error(fmt::format("section '{}' has two variants", name_));
  std::vector<std::pair<std::string, std::string>> values;
  for (const auto& alternative : alternatives) values.emplace_back(alternative.first, alternative.first);
  choice(name, field, std::move(values), std::move(sentence));

  variant_ = std::make_unique<Variant>();
  variant_->key = std::move(name);
  variant_->chosen = &field;
  for (const auto& [value, describe_alternative] : alternatives) {
    auto options = std::make_unique<Section>(name_, sentence_);
    describe_alternative(*options);
    variant_->alternatives.emplace_back(value, std::move(options));
  }
}

}  // namespace etude::config
