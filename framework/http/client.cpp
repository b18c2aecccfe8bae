#include "framework/http/client.h"

#include <chrono>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <httplib.h>

namespace etude::http {
namespace {

constexpr std::size_t kLongestAnswer = 64 << 20;  // bytes

std::pair<time_t, time_t> seconds_and_microseconds(double seconds) {
  const double whole = std::floor(seconds);
  return {static_cast<time_t>(whole), static_cast<time_t>(1e6 * (seconds - whole))};
}

}  // namespace

Url parse_url(const std::string& text) {
  const auto refuse = [&](const std::string& shown, const char* why) -> UsageError {
    return UsageError(fmt::format("'{}' is no address of a server, such as http://node1:8080: {}", shown, why));
  };
  const bool http = text.starts_with("http://");
  if (!http && !text.starts_with("https://")) throw refuse(text, "it begins with neither http:// nor https://");
  const std::size_t begin = http ? 7 : 8;
  const std::size_t end = std::min(text.find_first_of("/?#", begin), text.size());
  const std::string host = text.substr(begin, end - begin);
  if (host.find('@') != std::string::npos) {
    throw refuse(text.substr(0, begin) + "…" + text.substr(text.find('@')),
                 "it has a name or password in it, which belong into the environment");
  }
  if (host.empty() || host.front() == ':') throw refuse(text, "it names no host");
  Url url{text.substr(0, end), text.substr(end)};
  while (url.path.ends_with('/')) url.path.pop_back();
  return url;
}

struct Client::Parts {
  explicit Parts(const ClientOptions& options) : url(parse_url(options.url)), http(url.origin) {
    if (!http.is_valid()) throw UsageError(fmt::format("'{}' is no address of a server", options.url));
    const auto [connect, connect_rest] = seconds_and_microseconds(options.connect_seconds);
    const auto [answer, answer_rest] = seconds_and_microseconds(options.answer_seconds);
    http.set_connection_timeout(connect, connect_rest);
    http.set_read_timeout(answer, answer_rest);
    http.set_write_timeout(answer, answer_rest);
    http.set_keep_alive(true);
    http.set_tcp_nodelay(true);
    if (!options.token.empty()) http.set_bearer_token_auth(options.token);
    if (options.token.empty() && !options.user.empty()) http.set_basic_auth(options.user, options.password);
    if (!options.certificate.empty()) http.set_ca_cert_path(options.certificate.string());
    http.enable_server_certificate_verification(true);
  }

  Answer answer_to(httplib::Request& request, const std::string& path) {
    Answer answer;
    request.path = url.path + path;
    if (request.path.empty()) request.path = "/";
    request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
      answer.body.append(data, size);
      return answer.body.size() <= kLongestAnswer;
    };
    const auto asked = std::chrono::steady_clock::now();
    httplib::Result result = http.send(request);
    // A connection that was kept may have been closed at the other end while the question was on its way; that shows at
    // once, and whoever does not answer in time is not asked again.
    const bool at_once = std::chrono::steady_clock::now() - asked < std::chrono::seconds(1);
    if (!result && std::exchange(kept, false) && at_once) {
      answer.body.clear();
      result = http.send(request);
    }
    kept = static_cast<bool>(result);
    if (!result) throw NoAnswer(httplib::to_string(result.error()));
    answer.status = result->status;
    return answer;
  }

  Url url;
  httplib::Client http;
  bool kept = false;  ///< there is a connection on which the last question was answered
};

Client::Client(const ClientOptions& options) : parts_(std::make_unique<Parts>(options)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Answer Client::get(const std::string& path) {
  httplib::Request request;
  request.method = "GET";
  return parts_->answer_to(request, path);
}

Answer Client::post(const std::string& path, const std::string& body, const std::string& type) {
  httplib::Request request;
  request.method = "POST";
  request.body = body;
  request.set_header("Content-Type", type);
  return parts_->answer_to(request, path);
}

void Client::interrupt() { parts_->http.stop(); }

}  // namespace etude::http
