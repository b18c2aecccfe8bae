#include "sweep/server/requests.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/config/document.h"

namespace etude::sweep {
namespace {

constexpr int kDepth = 6;
constexpr std::size_t kName = 256;          ///< of a worker, a metric, a request
constexpr std::size_t kReasonBytes = 8192;  ///< with the last lines of a log
constexpr std::size_t kReports = 10'000;
constexpr std::size_t kMetrics = 256;
constexpr double kWhole = 9007199254740992.0;  ///< 2^53: every integer up to it is a double

[[noreturn]] void refuse(const std::string& what) { throw Refusal(422, what); }

void require_clean(const std::string& text) {
  // PostgreSQL has no place for it in a text.
  if (text.find('\0') != std::string::npos) refuse("a text holds the character U+0000, which is none to be stored");
}

void require_bounded(const Json& json, int depth) {
  if (depth > kDepth) refuse(fmt::format("the body is nested more than {} deep", kDepth));
  if (json.is_string()) require_clean(json.get_ref<const std::string&>());
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) {
      require_clean(key);
      require_bounded(value, depth + 1);
    }
  } else if (json.is_array()) {
    for (const Json& value : json) require_bounded(value, depth + 1);
  }
}

/// The fields of an object, of which none may be left over.
class Fields {
 public:
  Fields(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
    if (!json.is_object()) refuse(fmt::format("{} has to be an object", where_));
  }

  const Json* find(const char* name) {
    known_.emplace_back(name);
    const auto found = json_.find(name);
    return found == json_.end() ? nullptr : &*found;
  }
  const Json& at(const char* name) {
    const Json* const found = find(name);
    if (!found) refuse(fmt::format("{} lacks '{}'", where_, name));
    return *found;
  }
  std::string text(const char* name, std::size_t most) {
    const Json& json = at(name);
    if (!json.is_string()) refuse(fmt::format("'{}' has to be a text", name));
    const auto& text = json.get_ref<const std::string&>();
    if (text.size() > most) refuse(fmt::format("'{}' has {} bytes, and {} are allowed", name, text.size(), most));
    return text;
  }
  /// Not empty.
  std::string word(const char* name) {
    std::string text = this->text(name, kName);
    if (text.empty()) refuse(fmt::format("'{}' is empty", name));
    return text;
  }
  bool has(const char* name) { return find(name) != nullptr; }
  const std::string& where() const { return where_; }

  void finish() const {
    for (const auto& [key, value] : json_.items()) {
      if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
      const std::string near = config::nearest(key, known_);
      refuse(fmt::format("{} has a field '{}', which is none of it{}", where_, key.substr(0, kName),
                         near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
    }
  }

 private:
  const Json& json_;
  std::string where_;
  std::vector<std::string> known_;
};

Json parse(const std::string& body) {
  Json json;
  try {
    json = parse_json(body);
  } catch (const Error& error) {
    throw Refusal(400, fmt::format("the body is {}", error.what()));
  }
  require_bounded(json, 1);
  return json;
}

double parse_number(const Json& json, const std::string& name) {
  if (json.is_number()) return json.get<double>();
  if (json == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (json == "inf") return std::numeric_limits<double>::infinity();
  if (json == "-inf") return -std::numeric_limits<double>::infinity();
  refuse(fmt::format(R"('{}' has to be a number, "nan", "inf" or "-inf")", name.substr(0, kName)));
}

double parse_quantity(Fields& fields, const char* name, double otherwise) {
  const Json* const json = fields.find(name);
  if (!json) return otherwise;
  const double value = parse_number(*json, name);
  if (!(value >= 0 && value <= 1e9)) refuse(fmt::format("'{}' has to be from 0 to 1e9", name));
  return value;
}

std::int64_t parse_step(const Json& json) {
  const double step = json.is_number() ? json.get<double>() : -1;
  if (!(step >= 0 && step < kWhole) || step != std::floor(step)) {
    refuse("'step' has to be a whole number, 0 or more");
  }
  return static_cast<std::int64_t>(step);
}

using Metrics = std::map<std::string, double>;

Metrics parse_metrics(const Json& json) {
  if (!json.is_object()) refuse("'metrics' has to be an object of numbers by name");
  if (json.size() > kMetrics) refuse(fmt::format("'metrics' has {}, and {} are allowed", json.size(), kMetrics));
  Metrics metrics;
  for (const auto& [name, value] : json.items()) {
    if (name.empty() || name.size() > kName) refuse(fmt::format("the name of a metric has 1 to {} bytes", kName));
    metrics[name] = parse_number(value, name);
  }
  return metrics;
}

Metrics parse_values(const Json& values, const std::vector<std::string>& objectives) {
  if (!values.is_array() || values.size() != objectives.size()) {
    refuse(fmt::format("'values' has to be a list with the value of each objective: {}", fmt::join(objectives, ", ")));
  }
  Metrics metrics;
  for (std::size_t i = 0; i < objectives.size(); ++i) metrics[objectives[i]] = parse_number(values[i], objectives[i]);
  return metrics;
}

/// Of 'value', 'values' and 'metrics' at most one.
std::optional<Metrics> parse_measured(Fields& fields, const std::vector<std::string>& objectives, bool several) {
  const Json* const value = fields.find("value");
  const Json* const values = several ? fields.find("values") : nullptr;
  const Json* const metrics = fields.find("metrics");
  const char* const choices = several ? "'value', 'values' and 'metrics'" : "'value' and 'metrics'";
  if ((value != nullptr) + (values != nullptr) + (metrics != nullptr) > 1) {
    refuse(fmt::format("{} may have one of {}, not more", fields.where(), choices));
  }
  if (metrics) return parse_metrics(*metrics);
  if (values) return parse_values(*values, objectives);
  if (!value) return std::nullopt;
  if (objectives.size() != 1) {
    refuse(fmt::format("'value' means nothing among {} objectives: send {}'metrics'", objectives.size(),
                       several ? "'values' or " : ""));
  }
  return Metrics{{objectives.front(), parse_number(*value, "value")}};
}

}  // namespace

AskRequest parse_ask(const std::string& body) {
  const Json json = parse(body);
  Fields fields(json, "the body");
  AskRequest ask;
  ask.request = fields.word("request");
  Fields worker(fields.at("worker"), "'worker'");
  ask.worker.name = worker.word("name");
  ask.worker.host = worker.has("host") ? worker.text("host", kName) : "";
  ask.worker.nodes = parse_quantity(worker, "nodes", ask.worker.nodes);
  ask.worker.cores = parse_quantity(worker, "cores", ask.worker.cores);
  ask.worker.gpus = parse_quantity(worker, "gpus", ask.worker.gpus);
  worker.finish();
  fields.finish();
  return ask;
}

std::vector<Measurement> parse_reports(const std::string& body, const std::vector<std::string>& objectives) {
  const Json json = parse(body);
  Fields fields(json, "the body");
  const Json& reports = fields.at("reports");
  fields.finish();
  if (!reports.is_array()) refuse("'reports' has to be a list");
  if (reports.size() > kReports) {
    refuse(fmt::format("'reports' has {}, and {} are allowed: send them in parts", reports.size(), kReports));
  }
  std::vector<Measurement> measurements;
  measurements.reserve(reports.size());
  for (const Json& report : reports) {
    Fields one(report, "a report");
    Measurement measurement;
    measurement.step = parse_step(one.at("step"));
    auto measured = parse_measured(one, objectives, false);
    if (!measured) refuse("a report lacks 'value' or 'metrics'");
    measurement.metrics = std::move(*measured);
    one.finish();
    measurements.push_back(std::move(measurement));
  }
  return measurements;
}

Outcome parse_end(const std::string& body, const std::vector<std::string>& objectives) {
  const Json json = parse(body);
  Fields fields(json, "the body");
  Outcome outcome;
  const std::string state = fields.word("state");
  if (state == "COMPLETE") {
    outcome.state = TrialState::kComplete;
  } else if (state == "PRUNED") {
    outcome.state = TrialState::kPruned;
  } else if (state == "FAIL") {
    outcome.state = TrialState::kFail;
  } else {
    refuse("'state' has to be COMPLETE, PRUNED or FAIL");
  }
  if (auto measured = parse_measured(fields, objectives, true)) outcome.metrics = std::move(*measured);
  if (fields.has("reason")) outcome.reason = fields.text("reason", kReasonBytes);
  fields.finish();
  return outcome;
}

EnqueueRequest parse_enqueue(const std::string& body) {
  const Json json = parse(body);
  Fields fields(json, "the body");
  EnqueueRequest enqueue;
  enqueue.request = fields.word("request");
  const Json& parameters = fields.at("parameters");
  fields.finish();
  if (!parameters.is_object()) refuse("'parameters' has to be an object of values by name");
  for (const auto& [name, value] : parameters.items()) {
    if (value.is_structured()) refuse(fmt::format("the value of '{}' has to be a single one", name.substr(0, kName)));
    enqueue.parameters[name] = value;
  }
  return enqueue;
}

std::string parse_request_word(const std::string& body) {
  const Json json = parse(body);
  Fields fields(json, "the body");
  std::string request = fields.word("request");
  fields.finish();
  return request;
}

void parse_nothing(const std::string& body) {
  if (body.empty()) return;
  const Json json = parse(body);
  Fields(json, "the body").finish();
}

Json number_as_json(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

}  // namespace etude::sweep
