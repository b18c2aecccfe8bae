#include "framework/track/mlflow.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/files/nesting.h"

namespace etude::track {
namespace {

using nlohmann::json;

// What MLflow takes at once (mlflow.org, "REST API", "Log Batch"); the oldest servers take 500 characters of a value.
constexpr std::size_t kMostMetrics = 1000, kMostParameters = 100, kMostTags = 100, kLongestValue = 500;

/// A refusal that says of what kind it is.
class RefusedAs : public Refused {
 public:
  RefusedAs(std::string code, const std::string& what) : Refused(what), code_(std::move(code)) {}
  const std::string& code() const { return code_; }

 private:
  std::string code_;
};

/// At most `most` bytes, without half a character at the end.
std::string cut(std::string text, std::size_t most = kLongestValue) {
  if (text.size() <= most) return text;
  const auto continues = [&](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80; };
  while (most > 0 && continues(most)) --most;
  return text.substr(0, most);
}

std::string percent_encoded(const std::string& text) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain =
        byte < 0x80 && (std::isalnum(byte) != 0 || std::string_view("-._~").find(c) != std::string::npos);
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return encoded;
}

std::int64_t milliseconds(double seconds) { return std::llround(1000 * seconds); }

/// As Protocol Buffers write it in JSON.
json number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

/// eval_loss of metrics.jsonl is eval/loss there, loss is train/loss.
std::string metric_name(const std::string& name, Message::Kind kind) {
  constexpr std::string_view kPrefix = "eval_";
  if (kind == Message::Kind::kStep) return "train/" + name;
  return "eval/" + (name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name);
}

const char* status_of(log::State state) {
  switch (state) {
    case log::State::kFinished:
      return "FINISHED";
    case log::State::kStopped:
      return "KILLED";
    case log::State::kFailed:
      break;
  }
  return "FAILED";
}

json pair(const std::string& key, const std::string& value) { return {{"key", cut(key, 250)}, {"value", cut(value)}}; }

}  // namespace

Mlflow::Mlflow(const http::ClientOptions& server, std::string experiment, std::shared_ptr<Card> card)
    : client_(server), url_(server.url), experiment_(std::move(experiment)), card_(std::move(card)) {}

void Mlflow::begin(const log::RunFacts& facts) {
  try {
    introduce(facts);
  } catch (const json::exception&) {
    throw Away(fmt::format("{} answers, but not as an MLflow tracking server would", url_));
  }
}

void Mlflow::introduce(const log::RunFacts& facts) {
  const std::string experiment = find_experiment();
  json run = find_run(experiment);
  const bool resumed = !run.is_null();
  if (!resumed) run = create_run(experiment, facts);
  run_ = run.at("info").at("run_id").get<std::string>();
  card_->note({url_, run_});

  std::map<std::string, std::string> parameters;
  const json data = run.value("data", json::object());
  for (const json& parameter : data.value("params", json::array())) {
    parameters[parameter.at("key").get<std::string>()] = parameter.value("value", "");
  }
  for (const json& metric : data.value("metrics", json::array())) {
    told_[metric.at("key").get<std::string>()] = metric.value("step", std::int64_t{0});
  }
  if (resumed) post("runs/update", {{"run_id", run_}, {"status", "RUNNING"}});
  send_parameters(facts, parameters);
  send_tags(facts.circumstances);
  send_past(facts);
}

std::string Mlflow::find_experiment() {
  // Another run may make it between our question and our wish.
  for (int attempt = 0; attempt < 2; ++attempt) {
    try {
      const json found =
          get("experiments/get-by-name", "experiment_name=" + percent_encoded(experiment_)).at("experiment");
      if (found.value("lifecycle_stage", "active") == "deleted") {
        throw Refused(
            fmt::format("{}: the experiment '{}' is deleted there; restore it, or name another with "
                        "track.experiment",
                        url_, experiment_));
      }
      return found.at("experiment_id").get<std::string>();
    } catch (const RefusedAs& refusal) {
      if (refusal.code() != "RESOURCE_DOES_NOT_EXIST") throw;
    }
    try {
      return post("experiments/create", {{"name", experiment_}}).at("experiment_id").get<std::string>();
    } catch (const RefusedAs& refusal) {
      if (refusal.code() != "RESOURCE_ALREADY_EXISTS") throw;
    }
  }
  throw Away(fmt::format("{}: the experiment '{}' is neither there nor can it be made", url_, experiment_));
}

json Mlflow::find_run(const std::string& experiment) {
  const Card::MlflowRun noted = card_->mlflow();
  if (noted.address == url_ && !noted.run.empty()) {
    try {
      json run = get("runs/get", "run_id=" + percent_encoded(noted.run)).at("run");
      return run.at("info").value("lifecycle_stage", "active") == "active" ? run : json();
    } catch (const RefusedAs& refusal) {
      if (refusal.code() != "RESOURCE_DOES_NOT_EXIST") throw;
    }
    return {};
  }
  // A run may have been made by a request whose answer was lost.
  const json found = post("runs/search", {{"experiment_ids", {experiment}},
                                          {"filter", fmt::format("tags.`etude.id` = '{}'", card_->id())},
                                          {"max_results", 1}});
  const json runs = found.value("runs", json::array());
  return runs.empty() ? json() : runs.front();
}

json Mlflow::create_run(const std::string& experiment, const log::RunFacts& facts) {
  return post("runs/create", {{"experiment_id", experiment},
                              {"run_name", facts.name},
                              {"start_time", milliseconds(log::seconds_since_1970())},
                              {"tags",
                               {pair("mlflow.runName", facts.name), pair("mlflow.source.name", "etude train"),
                                pair("etude.id", card_->id()), pair("etude.folder", facts.folder.string())}}})
      .at("run");
}

void Mlflow::send_parameters(const log::RunFacts& facts, const std::map<std::string, std::string>& known) {
  // MLflow lets no parameter change, so what a resumed run does otherwise becomes a tag.
  json fresh = json::array();
  std::vector<std::pair<std::string, std::string>> changed;
  const auto send = [&] {
    if (!fresh.empty()) post("runs/log-batch", {{"run_id", run_}, {"params", std::exchange(fresh, json::array())}});
  };
  for (const auto& [key, value] : facts.settings) {
    const auto before = known.find(key);
    if (before == known.end()) fresh.push_back(pair(key, value));
    if (before != known.end() && before->second != cut(value)) changed.emplace_back("resumed with " + key, value);
    if (fresh.size() == kMostParameters) send();
  }
  send();
  send_tags(changed);
}

void Mlflow::send_tags(const std::vector<std::pair<std::string, std::string>>& tags) {
  for (std::size_t from = 0; from < tags.size(); from += kMostTags) {
    json some = json::array();
    for (std::size_t i = from; i < std::min(tags.size(), from + kMostTags); ++i) {
      some.push_back(pair(tags[i].first, tags[i].second));
    }
    post("runs/log-batch", {{"run_id", run_}, {"tags", std::move(some)}});
  }
}

void Mlflow::send_past(const log::RunFacts& facts) {
  if (facts.done == 0) return;
  std::ifstream file(facts.metrics);
  std::vector<Message> messages;
  for (std::string line; std::getline(file, line);) {
    const json row = json::parse(line, nullptr, false);
    const bool ours = row.is_object() && row.contains("step") && row["step"].is_number();
    if (!ours || row["step"].get<std::int64_t>() > facts.done) continue;
    messages.push_back(
        {row.contains("loss") ? Message::Kind::kStep : Message::Kind::kEvaluation, log::figures_of(row)});
    if (messages.size() == most_at_once()) tell(std::exchange(messages, {}));
  }
  tell(messages);
}

void Mlflow::tell(const std::vector<Message>& messages) {
  json metrics = json::array();
  const auto send = [&] {
    if (!metrics.empty())
      post("runs/log-batch", {{"run_id", run_}, {"metrics", std::exchange(metrics, json::array())}});
  };
  for (const Message& message : messages) {
    for (const auto& [name, value] : message.figures.values) {
      const std::string key = metric_name(name, message.kind);
      const auto told = told_.find(key);
      if (told != told_.end() && message.figures.step <= told->second) continue;
      metrics.push_back({{"key", key},
                         {"value", number(value)},
                         {"timestamp", milliseconds(message.figures.time)},
                         {"step", message.figures.step}});
      if (metrics.size() == kMostMetrics) send();
    }
  }
  send();
}

void Mlflow::end(log::State state, double time) {
  post("runs/update", {{"run_id", run_}, {"status", status_of(state)}, {"end_time", milliseconds(time)}});
}

json Mlflow::get(const std::string& what, const std::string& query) {
  try {
    return understood(client_.get(fmt::format("/api/2.0/mlflow/{}?{}", what, query)), what);
  } catch (const http::NoAnswer& error) {
    throw Away(fmt::format("no answer from {}: {}", url_, error.what()));
  }
}

json Mlflow::post(const std::string& what, const json& body) {
  try {
    const std::string text = body.dump(-1, ' ', false, json::error_handler_t::replace);
    return understood(client_.post("/api/2.0/mlflow/" + what, text), what);
  } catch (const http::NoAnswer& error) {
    throw Away(fmt::format("no answer from {}: {}", url_, error.what()));
  }
}

json Mlflow::understood(const http::Answer& answer, const std::string& what) const {
  json said = files::nests_deeper(answer.body) ? json() : json::parse(answer.body, nullptr, false);
  if (answer.status == 200 && said.is_object()) return said;
  if (answer.status == 401 || answer.status == 403) {
    throw Refused(
        fmt::format("{} answers {}: set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and "
                    "MLFLOW_TRACKING_PASSWORD, in the environment",
                    url_, answer.status));
  }
  const bool explained = said.is_object() && said.contains("error_code") && said["error_code"].is_string();
  if (explained && answer.status >= 400 && answer.status < 500 && answer.status != 429) {
    const std::string code = said["error_code"].get<std::string>();
    throw RefusedAs(code, fmt::format("{} refuses {}: {}: {}", url_, what, code, said.value("message", "")));
  }
  throw Away(fmt::format("{} answers {} to {}{}", url_, answer.status, what,
                         explained ? "" : ", not as an MLflow tracking server would"));
}

}  // namespace etude::track
