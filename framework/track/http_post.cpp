#include "framework/track/http_post.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/log/json_lines.h"

namespace etude::track {
HttpPost::HttpPost(const http::ClientOptions& server, std::size_t batch, std::string id)
    : client_(server), url_(server.url), batch_(batch), sender_{"", std::move(id)} {}

void HttpPost::begin(const log::RunFacts& facts) {
  sender_.run = facts.name;
  last_step_ = facts.done;
  post(begin_message(sender_, facts, log::seconds_since_1970()));
}

void HttpPost::tell(const std::vector<Message>& messages) {
  nlohmann::json list = nlohmann::json::array();
  for (const Message& message : messages) list.push_back(log::with_nonfinite_named(figures_message(sender_, message)));
  post(batch_ == 1 ? list.front() : list);
  last_step_ = messages.back().figures.step;
}

void HttpPost::end(log::State state, double time) { post(end_message(sender_, state, last_step_, time)); }

void HttpPost::post(const nlohmann::json& message) {
  const bool alone = batch_ > 1 && message.is_object();
  const nlohmann::json body = alone ? nlohmann::json::array({message}) : message;
  http::Answer answer;
  try {
    answer = client_.post("", body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  } catch (const http::NoAnswer& error) {
    throw Away(fmt::format("no answer from {}: {}", url_, error.what()));
  }
  if (answer.status >= 200 && answer.status < 300) return;
  const std::string what = fmt::format("{} answers {}", url_, answer.status);
  if (answer.status == 408 || answer.status == 429 || answer.status >= 500) throw Away(what);
  throw Refused(what);
}

}  // namespace etude::track
