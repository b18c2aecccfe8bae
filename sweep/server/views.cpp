#include "sweep/server/views.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "framework/config/document.h"
#include "sweep/server/requests.h"
#include "sweep/trial_notes.h"

namespace etude::sweep {
namespace {

template <typename Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

/// As `number_as_json`, wherever there is a number.
void write_numbers_as_texts(Json& json) {
  if (json.is_number_float() && !std::isfinite(json.get<double>())) {
    json = number_as_json(json.get<double>());
  } else if (json.is_structured()) {
    for (Json& inner : json) write_numbers_as_texts(inner);
  }
}

Json values_as_json(const std::vector<double>& values) {
  if (values.empty()) return nullptr;
  Json list = Json::array();
  for (const double value : values) list.push_back(number_as_json(value));
  return list;
}

/// A system attribute; null where there is none.
Json attribute(const Trial& trial, const char* key) {
  const auto found = trial.system_attributes.find(key);
  return found == trial.system_attributes.end() ? Json(nullptr) : found->second;
}

Json stint_as_json(const Stint& stint) {
  return {{"worker", stint.worker.name},
          {"host", stint.worker.host},
          {"began", number_as_json(stint.began)},
          {"ended", number_as_json(stint.ended)},
          {"open", stint.open},
          {"nodes", number_as_json(stint.worker.nodes)},
          {"cores", number_as_json(stint.worker.cores)},
          {"gpus", number_as_json(stint.worker.gpus)}};
}

Json parameters_as_json(const SearchSpace& space) {
  Json list = Json::array();
  for (const SearchSpace::Entry& entry : space.entries) {
    Json when = Json::object();
    for (const auto& [name, internals] : entry.when) {
      Json values = Json::array();
      for (const double value : internals) values.push_back(space.find(name)->distribution->external(value));
      when[name] = std::move(values);
    }
    list.push_back(
        {{"name", entry.name}, {"distribution", parse_json(entry.distribution->to_json())}, {"when", std::move(when)}});
  }
  return list;
}

/// {"kind": "tpe", "multivariate": true, …}
template <typename Described>
Json settings_as_json(const std::string& kind, Described& described) {
  config::Section section;
  described.describe(section);
  Json json = {{"kind", kind}};
  for (const auto& [key, text] : config::settings(section)) {
    const Json value = Json::parse(text, nullptr, false);
    json[key] = value.is_discarded() ? Json(text) : value;
  }
  return json;
}

Json bound(double most) { return most > 0 ? number_as_json(most) : Json(nullptr); }

Json counts_as_json(const std::vector<Trial>& trials) {
  std::map<std::string, std::int64_t> counts{{"PAUSED", 0}};
  for (const TrialState state :
       {TrialState::kRunning, TrialState::kComplete, TrialState::kPruned, TrialState::kFail, TrialState::kWaiting}) {
    counts[sweep::name_of(state)] = 0;
  }
  for (const Trial& trial : trials) ++counts[shown_state(trial)];
  return counts;
}

}  // namespace

Json trial_as_json(const TrialView& view, const std::string& folder) {
  const Trial& trial = view.trial;
  Json json = {{"number", trial.number},
               {"state", shown_state(trial)},
               {"values", values_as_json(trial.values)},
               {"parameters", Json::object()},
               {"reports", Json::array()},
               {"began", or_null(trial.began)},
               {"ended", or_null(trial.ended)},
               {"parent", attribute(trial, kParent)},
               {"reason", attribute(trial, kReason)},
               {"retries", attribute(trial, kRetries)},
               {"user_attributes", trial.user_attributes},
               {"stints", Json::array()},
               {"folder", folder}};
  if (json["retries"].is_null()) json["retries"] = 0;
  if (json["reason"].is_null()) json["reason"] = "";
  for (const Parameter& parameter : trial.parameters) json["parameters"][parameter.name] = parameter.external();
  for (const Report& report : trial.reports) {
    json["reports"].push_back(Json::array({report.step, number_as_json(report.value)}));
  }
  for (const Stint& stint : view.stints) json["stints"].push_back(stint_as_json(stint));
  return json;
}

Json study_as_json(const View& view) {
  const SweepFile& sweep = view.sweep;
  Json directions = Json::array(), metrics = Json::array();
  for (const Direction direction : view.study.directions) {
    directions.push_back(direction == Direction::kMinimize ? "minimize" : "maximize");
  }
  for (const Objective& objective : sweep.objectives) metrics.push_back(objective.name);
  const Budget& budget = sweep.budget;
  const Json currency = budget.currency.empty() ? Json(nullptr) : Json(budget.currency);
  return {{"name", view.study.name},
          {"directions", std::move(directions)},
          {"metrics", std::move(metrics)},
          {"parameters", parameters_as_json(sweep.space)},
          {"sampler", settings_as_json(sweep.sampler_kind, sweep.sampler())},
          {"pruner", settings_as_json(sweep.pruner_kind, sweep.pruner())},
          {"budget",
           {{"trials", budget.trials > 0 ? Json(budget.trials) : Json(nullptr)},
            {"wall", bound(budget.wall)},
            {"gpu_hours", bound(budget.gpu_hours)},
            {"core_hours", bound(budget.core_hours)},
            {"cost", bound(budget.cost)},
            {"currency", currency}}},
          {"spent",
           {{"trials", view.spent.trials},
            {"wall", number_as_json(view.spent.wall)},
            {"gpu_hours", number_as_json(view.spent.gpu_hours)},
            {"core_hours", number_as_json(view.spent.core_hours)},
            {"cost", number_as_json(view.spent.cost)},
            {"currency", currency}}},
          {"counts", counts_as_json(view.trials)},
          {"best", view.best},
          {"over", view.over},
          {"now", number_as_json(view.now)},
          {"incarnation", view.incarnation},
          {"revision", view.revision},
          {"read_only", false}};
}

std::string to_text(const Json& json) {
  Json written = json;
  write_numbers_as_texts(written);
  return written.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace etude::sweep
