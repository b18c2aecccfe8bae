#include "sweep/storage/journal.h"

#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "framework/config/error.h"
#include "sweep/storage/datetime.h"

namespace etude::sweep {
namespace {

enum Operation {
  kCreateStudy,
  kRemoveStudy,
  kStudyUserAttribute,
  kStudySystemAttribute,
  kCreateTrial,
  kParameter,
  kState,
  kReport,
  kTrialUserAttribute,
  kTrialSystemAttribute,
  kDiscardTrials,  ///< of Rust's Optuna; passed over by Python's
};

/// Numbers of states: those of our enumeration are Optuna's.
static_assert(static_cast<int>(TrialState::kRunning) == 0 && static_cast<int>(TrialState::kComplete) == 1 &&
              static_cast<int>(TrialState::kPruned) == 2 && static_cast<int>(TrialState::kFail) == 3 &&
              static_cast<int>(TrialState::kWaiting) == 4);

TrialState state(const Json& number) {
  const auto value = number.get<std::int64_t>();
  if (value < 0 || value > 4) throw Error(fmt::format("there is no state {}", value));
  return static_cast<TrialState>(value);
}

std::vector<double> values(const Json& line) {
  if (const auto many = line.find("values"); many != line.end() && !many->is_null()) {
    return many->get<std::vector<double>>();
  }
  if (const auto one = line.find("value"); one != line.end() && !one->is_null()) return {one->get<double>()};
  return {};
}

/// A journal cannot take an attribute away. Ours are null instead; others' null is a value like any.
void set_attribute(std::map<std::string, Json>& attributes, const std::string& key, const Json& value) {
  if (value.is_null() && key.starts_with("etude:")) {
    attributes.erase(key);
  } else {
    attributes[key] = value;
  }
}

void set_attributes(std::map<std::string, Json>& attributes, const Json& line, const char* key) {
  const auto found = line.find(key);
  if (found == line.end()) return;
  if (!found->is_object()) throw Error(fmt::format("'{}' holds no attributes", key));
  for (const auto& [name, value] : found->items()) set_attribute(attributes, name, value);
}

/// Whether a parameter may be of both in one study, as Optuna sees it.
bool compatible(const Distribution& a, const Distribution& b) {
  if (a.kind != b.kind || a.log != b.log) return false;
  return !a.is_categorical() || dump_json(Json(a.choices)) == dump_json(Json(b.choices));
}

Parameter parameter(DistributionPool& distributions, const std::string& name, double value, const std::string& json) {
  Parameter made{name, value, distributions.get(json)};
  if (made.distribution->is_categorical() && !made.distribution->contains(value)) {
    throw Error(fmt::format("parameter '{}': there is no choice {}", name, value));
  }
  return made;
}

}  // namespace

Journal::Study* Journal::study(std::int64_t id) {
  if (id < 0 || static_cast<std::size_t>(id) >= studies_.size()) return nullptr;
  Study& found = studies_[static_cast<std::size_t>(id)];
  return found.removed ? nullptr : &found;
}

std::optional<double> Journal::time(const Json& line, const char* key) {
  const auto found = line.find(key);
  if (found == line.end() || found->is_null()) return std::nullopt;
  const auto text = found->get<std::string>();
  has_offsets_ = has_offsets_ || text.find_first_of("+Z", text.find('T')) != std::string::npos;
  return read_time(text, true);
}

Trial* Journal::running(std::int64_t id) {
  if (id < 0 || static_cast<std::size_t>(id) >= trials_.size()) return nullptr;
  Trial& trial = trials_[static_cast<std::size_t>(id)];
  return is_over(trial.state) ? nullptr : &trial;
}

void Journal::apply(std::string_view text) {
  const Json line = parse_json(std::string(text));
  try {
    const auto operation = line.at("op_code").get<int>();
    switch (operation) {
      case kCreateStudy:
        return create_study(line);
      case kCreateTrial:
        return create_trial(line);
      case kDiscardTrials:
        return;
      case kRemoveStudy:
      case kStudyUserAttribute:
      case kStudySystemAttribute: {
        Study* const found = study(line.at("study_id").get<std::int64_t>());
        if (found == nullptr) return;
        if (operation == kRemoveStudy) found->removed = true;
        set_attributes(found->record.user_attributes, line, "user_attr");
        set_attributes(found->record.system_attributes, line, "system_attr");
        return;
      }
      case kParameter:
      case kState:
      case kReport:
      case kTrialUserAttribute:
      case kTrialSystemAttribute: {
        const auto id = line.at("trial_id").get<std::int64_t>();
        Trial* const trial = running(id);
        if (trial == nullptr) return;
        if (operation == kParameter) set_parameter(*trial, study_of_[static_cast<std::size_t>(id)], line);
        if (operation == kState) set_state(*trial, line);
        if (operation == kReport) {
          trial->set_report({line.at("step").get<std::int64_t>(), line.at("intermediate_value").get<double>()});
        }
        set_attributes(trial->user_attributes, line, "user_attr");
        set_attributes(trial->system_attributes, line, "system_attr");
        return;
      }
      default:
        throw Error(fmt::format("operation {} is none that Optuna 5.0 knows", operation));
    }
  } catch (const Json::exception& error) {
    throw Error(fmt::format("no line of a journal: {}", error.what()));
  }
}

void Journal::create_study(const Json& line) {
  Study made;
  made.record.name = line.at("study_name").get<std::string>();
  for (const Study& other : studies_) {
    if (!other.removed && other.record.name == made.record.name) return;
  }
  made.record.id = static_cast<std::int64_t>(studies_.size());
  for (const Json& direction : line.at("directions")) {
    const auto number = direction.get<int>();
    if (number != 1 && number != 2) throw Error(fmt::format("there is no direction {}", number));
    made.record.directions.push_back(number == 1 ? Direction::kMinimize : Direction::kMaximize);
  }
  studies_.push_back(std::move(made));
}

void Journal::create_trial(const Json& line) {
  const auto id = line.at("study_id").get<std::int64_t>();
  Study* const owner = study(id);
  if (owner == nullptr) return;
  Trial trial;
  trial.id = static_cast<std::int64_t>(trials_.size());
  trial.number = static_cast<std::int64_t>(owner->trials.size());
  if (line.contains("state")) trial.state = state(line["state"]);
  trial.values = values(line);
  trial.began = time(line, "datetime_start");
  trial.ended = time(line, "datetime_complete");
  if (const auto parameters = line.find("params"); parameters != line.end()) {
    for (const auto& [name, value] : parameters->items()) {
      trial.set_parameter(
          parameter(distributions_, name, value.get<double>(), line.at("distributions").at(name).get<std::string>()));
      owner->parameters.emplace(name, trial.parameter(name)->distribution);
    }
  }
  set_attributes(trial.user_attributes, line, "user_attrs");
  set_attributes(trial.system_attributes, line, "system_attrs");
  if (const auto reports = line.find("intermediate_values"); reports != line.end()) {
    for (const auto& [step, value] : reports->items()) {
      try {
        trial.set_report({std::stoll(step), value.get<double>()});
      } catch (const std::logic_error&) {
        throw Error(fmt::format("'{}' is no step", step));
      }
    }
  }
  owner->trials.push_back(trial.id);
  study_of_.push_back(id);
  trials_.push_back(std::move(trial));
}

void Journal::set_parameter(Trial& trial, std::int64_t study_id, const Json& line) {
  Parameter made = parameter(distributions_, line.at("param_name").get<std::string>(),
                             line.at("param_value_internal").get<double>(), line.at("distribution").get<std::string>());
  auto& known = studies_[static_cast<std::size_t>(study_id)].parameters;
  const auto first = known.emplace(made.name, made.distribution).first;
  if (compatible(*first->second, *made.distribution)) trial.set_parameter(std::move(made));
}

void Journal::set_state(Trial& trial, const Json& line) {
  const TrialState next = state(line.at("state"));
  if (next == TrialState::kRunning && trial.state == TrialState::kRunning) return;  // somebody else was faster
  trial.state = next;
  if (next == TrialState::kRunning) trial.began = time(line, "datetime_start");
  if (is_over(next)) trial.ended = time(line, "datetime_complete");
  const std::vector<double> told = values(line);
  if (!told.empty()) trial.values = told;
}

namespace {

/// Texts and numbers as Python's json module reads them, nan and infinite ones included.
class LineWriter {
 public:
  LineWriter(Operation operation, const std::string& worker) {
    add("op_code", static_cast<int>(operation));
    add("worker_id", worker);
  }
  void add(const char* key, Json value) { line_[key] = std::move(value); }
  std::string text() const { return dump_json(line_); }

 private:
  Json line_ = Json::object();
};

Json written(const std::optional<double>& time, bool offset) {
  return time ? Json(journal_time(*time, offset)) : Json(nullptr);
}

Json removable(const Json& value) { return value.is_discarded() ? Json(nullptr) : value; }

std::string created(const std::string& worker, std::int64_t study, const Trial& trial, bool offsets) {
  LineWriter line(kCreateTrial, worker);
  line.add("study_id", study);
  line.add("datetime_start", written(trial.began, offsets));
  if (trial.ended) line.add("datetime_complete", written(trial.ended, offsets));
  line.add("state", static_cast<int>(trial.state));
  line.add("value", trial.values.size() == 1 ? Json(trial.values[0]) : Json(nullptr));
  line.add("values", trial.values.size() > 1 ? Json(trial.values) : Json(nullptr));
  Json distributions = Json::object(), parameters = Json::object(), reports = Json::object();
  for (const Parameter& parameter : trial.parameters) {
    distributions[parameter.name] = parameter.distribution->to_json();
    parameters[parameter.name] = parameter.value;
  }
  for (const Report& report : trial.reports) reports[std::to_string(report.step)] = report.value;
  line.add("distributions", distributions);
  line.add("params", parameters);
  line.add("user_attrs", Json(trial.user_attributes));
  line.add("system_attrs", Json(trial.system_attributes));
  line.add("intermediate_values", reports);
  return line.text();
}

}  // namespace

std::string journal_line(const std::string& worker, const StudyRecord& record) {
  LineWriter line(kCreateStudy, worker);
  line.add("study_name", record.name);
  Json directions = Json::array();
  for (const Direction direction : record.directions) directions.push_back(direction == Direction::kMinimize ? 1 : 2);
  line.add("directions", directions);
  return line.text();
}

std::string journal_line(const std::string& worker, std::int64_t study, const Change& change, double now,
                         bool offsets) {
  if (const auto* const made = std::get_if<NewTrial>(&change)) return created(worker, study, made->trial, offsets);
  if (const auto* const next = std::get_if<StateChange>(&change)) {
    LineWriter line(kState, worker);
    line.add("trial_id", next->id);
    line.add("state", static_cast<int>(next->state));
    line.add("values", next->values.empty() ? Json(nullptr) : Json(next->values));
    if (next->state == TrialState::kRunning) line.add("datetime_start", written(next->began.value_or(now), offsets));
    if (is_over(next->state)) line.add("datetime_complete", written(next->ended.value_or(now), offsets));
    return line.text();
  }
  if (const auto* const parameter = std::get_if<NewParameter>(&change)) {
    LineWriter line(kParameter, worker);
    line.add("trial_id", parameter->id);
    line.add("param_name", parameter->parameter.name);
    line.add("param_value_internal", parameter->parameter.value);
    line.add("distribution", parameter->parameter.distribution->to_json());
    return line.text();
  }
  if (const auto* const report = std::get_if<NewReport>(&change)) {
    LineWriter line(kReport, worker);
    line.add("trial_id", report->id);
    line.add("step", report->report.step);
    line.add("intermediate_value", report->report.value);
    return line.text();
  }
  if (const auto* const attribute = std::get_if<TrialAttribute>(&change)) {
    LineWriter line(attribute->system ? kTrialSystemAttribute : kTrialUserAttribute, worker);
    line.add("trial_id", attribute->id);
    line.add(attribute->system ? "system_attr" : "user_attr", Json{{attribute->key, removable(attribute->value)}});
    return line.text();
  }
  const auto& attribute = std::get<StudyAttribute>(change);
  LineWriter line(attribute.system ? kStudySystemAttribute : kStudyUserAttribute, worker);
  line.add("study_id", study);
  line.add(attribute.system ? "system_attr" : "user_attr", Json{{attribute.key, removable(attribute.value)}});
  return line.text();
}

}  // namespace etude::sweep
