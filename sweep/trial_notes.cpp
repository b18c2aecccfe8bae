#include "sweep/trial_notes.h"

#include <utility>

#include <fmt/format.h>

namespace etude::sweep {
namespace {

Json to_json(const Worker& worker) {
  return {{"name", worker.name}, {"host", worker.host},   {"nodes", worker.nodes},      {"cores", worker.cores},
          {"gpus", worker.gpus}, {"price", worker.price}, {"launched", worker.launched}};
}

}  // namespace

Json as_given(const Worker& worker, double now) {
  Json json = to_json(worker);
  json["given"] = now;
  return json;
}

Worker worker_from(const Json& json) {
  Worker worker;
  worker.name = json.value("name", "");
  worker.host = json.value("host", "");
  worker.nodes = json.value("nodes", 1.0);
  worker.cores = json.value("cores", 1.0);
  worker.gpus = json.value("gpus", 0.0);
  worker.price = json.value("price", 0.0);
  worker.launched = json.value("launched", false);
  return worker;
}

Json to_json(const std::vector<Stint>& stints) {
  Json all = Json::array();
  for (const Stint& stint : stints) {
    Json one = to_json(stint.worker);
    one.update({{"began", stint.began}, {"ended", stint.ended}, {"open", stint.open}});
    all.push_back(std::move(one));
  }
  return all;
}

std::vector<Stint> stints_from(const Json& json) {
  std::vector<Stint> all;
  for (const Json& one : json) {
    all.push_back({worker_from(one), one.value("began", 0.0), one.value("ended", 0.0), one.value("open", false)});
  }
  return all;
}

std::string text_attribute(const Trial& trial, const char* key) {
  const auto found = trial.system_attributes.find(key);
  return found != trial.system_attributes.end() && found->second.is_string() ? found->second.get<std::string>() : "";
}

std::int64_t whole_attribute(const Trial& trial, const char* key, std::int64_t otherwise) {
  const auto found = trial.system_attributes.find(key);
  return found != trial.system_attributes.end() && found->second.is_number_integer() ? found->second.get<std::int64_t>()
                                                                                     : otherwise;
}

const char* shown_state(const Trial& trial) { return trial.paused() ? "PAUSED" : name_of(trial.state); }

std::string configuration(const Trial& trial) {
  std::string key;
  for (const Parameter& parameter : trial.parameters) {
    key += fmt::format("{}={};", parameter.name, dump_json(parameter.external()));
  }
  return key;
}

Verdict verdict_of(const Trial& trial) {
  if (trial.paused()) return Verdict::kPause;
  if (trial.state == TrialState::kRunning) return Verdict::kContinue;
  return trial.state == TrialState::kComplete ? Verdict::kFinish : Verdict::kPrune;
}

}  // namespace etude::sweep
