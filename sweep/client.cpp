#include "sweep/client.h"

#include <limits>
#include <utility>

#include <fmt/format.h>

#include "framework/http/client.h"
#include "sweep/server/requests.h"
#include "sweep/server/views.h"

namespace etude::sweep {
namespace {

double number_of(const Json& json) {
  if (json == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (json == "inf") return std::numeric_limits<double>::infinity();
  if (json == "-inf") return -std::numeric_limits<double>::infinity();
  return json.get<double>();
}

Json metrics_as_json(const std::map<std::string, double>& metrics) {
  Json json = Json::object();
  for (const auto& [name, value] : metrics) json[name] = number_as_json(value);
  return json;
}

Verdict verdict_of(const std::string& name) {
  if (name == "continue") return Verdict::kContinue;
  if (name == "prune") return Verdict::kPrune;
  if (name == "pause") return Verdict::kPause;
  if (name == "finish") return Verdict::kFinish;
  throw Unreachable(fmt::format("the controller's verdict is '{}', which this worker does not know", name));
}

template <typename Value>
std::optional<Value> optional_of(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return json.get<Value>();
}

}  // namespace

struct Client::Parts {
  explicit Parts(const ClientOptions& options)
      : url(options.url),
        http({.url = options.url,
              .token = options.token,
              .certificate = options.certificate,
              .connect_seconds = options.connect_seconds,
              .answer_seconds = options.answer_seconds}) {}

  template <typename Ask>
  Json answer_to(const Ask& ask) {
    http::Answer answer;
    try {
      answer = ask();
    } catch (const http::NoAnswer& error) {
      throw Unreachable(fmt::format("no answer from the controller at {}: {}", url, error.what()));
    }
    Json json = Json::parse(answer.body, nullptr, false);
    if (answer.status == 200 && json.is_object()) return json;
    const bool explained = json.is_object() && json.contains("error") && json["error"].is_string();
    const std::string why = explained ? json["error"].get<std::string>() : "it seems to be no controller";
    const std::string what = fmt::format("the controller at {} answers {}: {}", url, answer.status, why);
    const bool refused = explained && answer.status >= 400 && answer.status < 500 && answer.status != 429;
    if (refused) throw Refusal(answer.status, what);
    throw Unreachable(what);
  }

  std::string url;
  http::Client http;
};

Client::Client(const ClientOptions& options) : parts_(std::make_unique<Parts>(options)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Json Client::get(const std::string& path) {
  return parts_->answer_to([&] { return parts_->http.get(path); });
}

Json Client::post(const std::string& path, const Json& body) {
  const std::string text = to_text(body);
  return parts_->answer_to([&] { return parts_->http.post(path, text); });
}

std::optional<Order> Client::ask(const Worker& worker, const std::string& request, std::string* over) {
  const Json json = post("/api/trials", {{"request", request},
                                         {"worker",
                                          {{"name", worker.name},
                                           {"host", worker.host},
                                           {"nodes", worker.nodes},
                                           {"cores", worker.cores},
                                           {"gpus", worker.gpus}}}});
  try {
    const Json& trial = json.at("trial");
    if (trial.is_null()) {
      if (over) *over = json.at("over").get<std::string>();
      return std::nullopt;
    }
    Order order;
    order.number = trial.at("number").get<std::int64_t>();
    order.parameters = trial.at("parameters").get<std::map<std::string, Json>>();
    order.parent = optional_of<std::int64_t>(trial.at("parent"));
    order.resumed_at = optional_of<std::int64_t>(trial.at("resumed_at"));
    order.lease = number_of(trial.at("lease"));
    return order;
  } catch (const Json::exception& error) {
    throw Unreachable(fmt::format("{} gives an order that is not understood: {}", parts_->url, error.what()));
  }
}

Answer Client::report(std::int64_t number, const std::vector<Measurement>& measurements) {
  Json reports = Json::array();
  for (const Measurement& one : measurements) {
    reports.push_back({{"step", one.step}, {"metrics", metrics_as_json(one.metrics)}});
  }
  const Json json = post(fmt::format("/api/trials/{}/reports", number), {{"reports", std::move(reports)}});
  try {
    Answer answer;
    answer.verdict = verdict_of(json.at("verdict").get<std::string>());
    answer.reason = json.at("reason").get<std::string>();
    answer.allowance = json.at("allowance").is_null() ? -1 : number_of(json.at("allowance"));
    return answer;
  } catch (const Json::exception& error) {
    throw Unreachable(fmt::format("{} gives an answer that is not understood: {}", parts_->url, error.what()));
  }
}

void Client::tell(std::int64_t number, const Outcome& outcome) {
  Json body = {{"state", sweep::name_of(outcome.state)}, {"metrics", metrics_as_json(outcome.metrics)}};
  if (!outcome.reason.empty()) body["reason"] = outcome.reason;
  post(fmt::format("/api/trials/{}/end", number), body);
}

std::int64_t Client::enqueue(const std::map<std::string, Json>& values, const std::string& request) {
  const Json json = post("/api/enqueue", {{"request", request}, {"parameters", values}});
  const auto number = json.find("number");
  if (number == json.end() || !number->is_number()) {
    throw Unreachable(fmt::format("{} gives no number of a trial", parts_->url));
  }
  return number->get<std::int64_t>();
}

void Client::stop() { post("/api/stop", Json::object()); }

}  // namespace etude::sweep
