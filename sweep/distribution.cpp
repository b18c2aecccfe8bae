#include "sweep/distribution.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::sweep {
namespace {

constexpr double kRounding = 1e-8;  ///< of a grid's cells, since 0.1 has no exact double

std::int64_t whole(double value) { return static_cast<std::int64_t>(std::llround(value)); }

bool valid(const Distribution& distribution) {
  if (distribution.is_categorical()) {
    for (auto choice = distribution.choices.begin(); choice != distribution.choices.end(); ++choice) {
      if (choice->is_structured() || std::find(distribution.choices.begin(), choice, *choice) != choice) return false;
    }
    return !distribution.choices.empty();
  }
  const bool finite = std::isfinite(distribution.low) && std::isfinite(distribution.high);
  if (!finite || distribution.low > distribution.high) return false;
  if (distribution.step && !(*distribution.step > 0)) return false;
  if (!distribution.log) return true;
  const bool steps = distribution.step && (distribution.kind == Distribution::Kind::kFloat || *distribution.step != 1);
  return distribution.low > 0 && !steps;
}

Distribution checked(Distribution distribution) {
  if (!valid(distribution)) {
    throw Error(
        fmt::format("{} is no distribution: it needs low <= high (low > 0 and no step where log), or "
                    "choices that differ",
                    distribution.to_json()));
  }
  return distribution;
}

// nan and infinite numbers travel through a parser that knows none as texts that no JSON holds otherwise.
constexpr std::string_view kMark = "\\u0000";
const std::string kMarked("\0", 1);

std::string with_marks(const std::string& text) {
  std::string marked;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (!quoted && (c == 'N' || c == 'I' || c == '-')) {
      const auto word = {"NaN", "Infinity", "-Infinity"};
      const auto* const found = std::find_if(word.begin(), word.end(), [&](const char* one) {
        return text.compare(i, std::string_view(one).size(), one) == 0;
      });
      if (found != word.end()) {
        marked += fmt::format("\"{}{}\"", kMark, *found);
        i += std::string_view(*found).size();
        continue;
      }
    }
    if (c == '"') quoted = !quoted;
    if (c == '\\' && quoted && i + 1 < text.size()) marked += text[i++];
    marked += text[i++];
  }
  return marked;
}

void take_marks(Json& json) {
  if (json.is_structured()) {
    for (Json& part : json) take_marks(part);
  } else if (json.is_string()) {
    const std::string& text = json.get_ref<const std::string&>();
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    if (text == kMarked + "NaN") {
      json = std::numeric_limits<double>::quiet_NaN();
    } else if (text == kMarked + "Infinity") {
      json = kInfinity;
    } else if (text == kMarked + "-Infinity") {
      json = -kInfinity;
    }
  }
}

void write(const Json& json, std::string& out) {
  if (json.is_array()) {
    out += '[';
    for (std::size_t i = 0; i < json.size(); ++i) {
      if (i > 0) out += ", ";
      write(json[i], out);
    }
    out += ']';
  } else if (json.is_object()) {
    out += '{';
    bool first = true;
    for (const auto& [key, part] : json.items()) {
      if (!first) out += ", ";
      first = false;
      out += Json(key).dump(-1, ' ', false, Json::error_handler_t::replace) + ": ";
      write(part, out);
    }
    out += '}';
  } else if (json.is_number_float() && !std::isfinite(json.get<double>())) {
    const double number = json.get<double>();
    out += std::isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity";
  } else {
    out += json.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
}

}  // namespace

Distribution Distribution::real(double low, double high, bool log, std::optional<double> step) {
  return checked({Kind::kFloat, low, high, step, log, {}});
}

Distribution Distribution::integer(double low, double high, bool log, double step) {
  return checked({Kind::kInt, low, high, step, log, {}});
}

Distribution Distribution::categorical(std::vector<Json> choices) {
  const double last = static_cast<double>(choices.size()) - 1;
  return checked({Kind::kCategorical, 0, std::max(0.0, last), std::nullopt, false, std::move(choices)});
}

bool Distribution::single() const { return count() == 1; }

std::optional<double> Distribution::count() const {
  if (is_categorical()) return static_cast<double>(choices.size());
  if (low == high) return 1;
  if (!step) return std::nullopt;
  return std::floor((high - low) / *step + kRounding) + 1;
}

bool Distribution::contains(double value) const {
  if (!(value >= low && value <= high)) return false;
  if (is_categorical()) return value == std::floor(value);
  if (!step) return true;
  const double cell = (value - low) / *step;
  return std::abs(cell - std::round(cell)) < kRounding;
}

double Distribution::snapped(double value) const {
  if (is_categorical()) return std::clamp(std::round(value), low, high);
  if (!step) return std::clamp(value, low, high);
  const double last = *count() - 1;
  const double near = low + *step * std::clamp(std::round((value - low) / *step), 0.0, last);
  return kind == Kind::kInt ? std::round(near) : std::min(near, high);
}

std::optional<double> Distribution::internal(const Json& value) const {
  if (is_categorical()) {
    const auto found = std::find(choices.begin(), choices.end(), value);
    if (found == choices.end()) return std::nullopt;
    return static_cast<double>(found - choices.begin());
  }
  if (!value.is_number()) return std::nullopt;
  const auto number = value.get<double>();
  return contains(number) ? std::optional(number) : std::nullopt;
}

Json Distribution::external(double internal) const {
  switch (kind) {
    case Kind::kFloat:
      return internal;
    case Kind::kInt:
      return whole(internal);
    case Kind::kCategorical:
      break;
  }
  const auto index = static_cast<std::size_t>(whole(internal));
  if (index >= choices.size()) throw Error(fmt::format("there is no choice {} among {}", index, choices.size()));
  return choices[index];
}

std::string Distribution::to_json() const {
  nlohmann::ordered_json attributes;
  switch (kind) {
    case Kind::kCategorical:
      return fmt::format(R"({{"name": "CategoricalDistribution", "attributes": {{"choices": {}}}}})",
                         dump_json(Json(choices)));
    case Kind::kFloat:
      attributes["step"] = step ? nlohmann::ordered_json(*step) : nlohmann::ordered_json(nullptr);
      attributes["low"] = low;
      attributes["high"] = high;
      break;
    case Kind::kInt:
      attributes["step"] = whole(step.value_or(1));
      attributes["low"] = whole(low);
      attributes["high"] = whole(high);
      break;
  }
  attributes["log"] = log;
  return nlohmann::ordered_json{{"name", kind == Kind::kFloat ? "FloatDistribution" : "IntDistribution"},
                                {"attributes", attributes}}
      .dump();
}

Distribution Distribution::from_json(const std::string& text) {
  try {
    const Json json = parse_json(text);
    const auto name = json.at("name").get<std::string>();
    const Json& attributes = json.at("attributes");
    if (name == "CategoricalDistribution") return categorical(attributes.at("choices").get<std::vector<Json>>());
    const auto low = attributes.at("low").get<double>(), high = attributes.at("high").get<double>();
    const auto step = [&](const char* key) -> std::optional<double> {
      if (!attributes.contains(key) || attributes.at(key).is_null()) return std::nullopt;
      return attributes.at(key).get<double>();
    };
    if (name == "FloatDistribution") return real(low, high, attributes.value("log", false), step("step"));
    if (name == "IntDistribution") {
      return integer(low, high, attributes.value("log", false), step("step").value_or(1));
    }
    // Until Optuna 3.
    if (name == "UniformDistribution") return real(low, high);
    if (name == "LogUniformDistribution") return real(low, high, true);
    if (name == "DiscreteUniformDistribution") return real(low, high, false, step("q"));
    if (name == "IntUniformDistribution") return integer(low, high, false, step("step").value_or(1));
    if (name == "IntLogUniformDistribution") return integer(low, high, true);
    throw Error(fmt::format("'{}' is no kind of distribution", name));
  } catch (const Json::exception& error) {
    throw Error(fmt::format("'{}' describes no distribution: {}", text, error.what()));
  }
}

Json parse_json(const std::string& text) {
  const bool plain = text.find("NaN") == std::string::npos && text.find("Infinity") == std::string::npos;
  try {
    if (plain) return Json::parse(text);
    Json json = Json::parse(with_marks(text));
    take_marks(json);
    return json;
  } catch (const Json::exception& error) {
    throw Error(fmt::format("not JSON: {}", error.what()));
  }
}

std::string dump_json(const Json& json) {
  std::string out;
  write(json, out);
  return out;
}

}  // namespace etude::sweep
