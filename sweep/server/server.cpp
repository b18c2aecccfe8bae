#include "sweep/server/server.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <utility>

#include <fmt/format.h>
#include <openssl/rand.h>

#include "framework/config/error.h"
#include "sweep/page/page.h"
#include "sweep/server/guard.h"
#include "sweep/server/listener.h"

namespace etude::sweep {
namespace {

constexpr const char* kJson = "application/json";

/// The page needs nothing but its own files; nothing that a study holds can run in it, and no other site may frame it,
/// read it or learn where its reader came from.
const httplib::Headers kSecurity{
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri "
     "'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Embedder-Policy", "require-corp"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cache-Control", "no-store"}};

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(1000 * seconds));
}

ListenerLimits limits_of(const ServerOptions& options) {
  ListenerLimits limits;
  limits.request = milliseconds(options.request_seconds);
  limits.idle = milliseconds(options.idle_seconds);
  return limits;
}

GuardOptions guard_of(const ServerOptions& options, std::size_t body_bytes) {
  if (options.token.empty() && !is_loopback(options.host)) {
    throw UsageError(
        fmt::format("a controller that listens on '{}' can be reached from elsewhere and needs a token: "
                    "name a file with one, or listen on 127.0.0.1",
                    options.host));
  }
  GuardOptions guard;
  guard.token = options.token;
  guard.encrypted = !options.certificate.empty();
  guard.body_bytes = body_bytes;
  guard.requests_per_second = options.requests_per_second;
  return guard;
}

RequestHead head_of(const httplib::Request& request) {
  RequestHead head;
  head.method = request.method;
  head.path = request.path;
  head.address = request.remote_addr;
  head.host = request.get_header_value("Host");
  head.origin = request.get_header_value("Origin");
  head.fetch_site = request.get_header_value("Sec-Fetch-Site");
  head.authorization = request.get_header_value("Authorization");
  head.content_type = request.get_header_value("Content-Type");
  head.encoded = request.has_header("Content-Encoding");
  head.length = declared_length(request);
  return head;
}

void say(httplib::Response& response, int status, const std::string& body) {
  response.status = status;
  response.set_content(body, kJson);
  if (status == 401) response.set_header("WWW-Authenticate", "Bearer");
  if (status == 405) response.set_header("Allow", "GET, HEAD, POST");
  if (status == 429 || status == 503) response.set_header("Retry-After", "1");
}

void say_error(httplib::Response& response, int status, const std::string& what) {
  say(response, status, to_text({{"error", what}}));
}

bool is_api(const std::string& path) { return path == "/api" || path.starts_with("/api/"); }

}  // namespace

struct Server::Parts {
  Parts(Desk& desk, const ServerOptions& options, ApiParts api_parts)
      : limits(limits_of(options)),
        guard(guard_of(options, limits.body_bytes)),
        api(desk, std::move(api_parts)),
        listener(limits, options.certificate, options.key) {
    listener.set_default_headers(kSecurity);
    listener.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      return object_to(request, response) ? httplib::Server::HandlerResponse::Handled
                                          : httplib::Server::HandlerResponse::Unhandled;
    });
    // Addresses are told apart by the API: httplib would go through regular expressions.
    listener.Get(".*",
                 [this](const httplib::Request& request, httplib::Response& response) { get(request, response); });
    listener.Post(".*",
                  [this](const httplib::Request& request, httplib::Response& response) { post(request, response); });
    // What httplib itself refuses, before it comes to any of this.
    listener.set_error_handler(httplib::Server::Handler([](const httplib::Request&, httplib::Response& response) {
      if (response.body.empty()) say_error(response, response.status, "no request that is understood");
    }));
    port = listener.start(options.host, options.port);
    own_host = is_every_address(options.host) ? "127.0.0.1" : options.host;
    encrypted = !options.certificate.empty();
  }

  bool object_to(const httplib::Request& request, httplib::Response& response) {
    if (const auto objection = guard.object_to(head_of(request))) {
      say_error(response, objection->status, objection->what);
      return true;
    }
    const bool known = request.method == "GET" || request.method == "HEAD" || request.method == "POST";
    if (!known) say_error(response, 405, "only GET and POST mean anything here");
    return !known;
  }

  void get(const httplib::Request& request, httplib::Response& response) {
    if (request.path == "/healthz") {
      say(response, 200, R"({"ok":true})");
    } else if (is_api(request.path)) {
      api_answers(request, response, "GET");
    } else if (const PageFile* const file = page_file(request.path)) {
      response.set_content(file->content.data(), file->content.size(), std::string(file->type));
    } else {
      say_error(response, 404, "no such address");
    }
  }

  void post(const httplib::Request& request, httplib::Response& response) {
    if (is_api(request.path)) {
      api_answers(request, response, "POST");
    } else {
      say_error(response, 404, "no such address");
    }
  }

  void api_answers(const httplib::Request& request, httplib::Response& response, const char* method) {
    const Reply reply = api.answer(method, request.path, {request.params.begin(), request.params.end()}, request.body);
    say(response, reply.status, reply.body);
  }

  ListenerLimits limits;
  Guard guard;
  Api api;
  Listener listener;
  int port = 0;
  std::string own_host;  ///< by which this machine finds it
  bool encrypted = false;
};

Server::Server(Desk& desk, const ServerOptions& options, ApiParts parts)
    : parts_(std::make_unique<Parts>(desk, options, std::move(parts))) {}

Server::~Server() = default;

int Server::port() const { return parts_->port; }

std::string Server::url() const { return url(parts_->own_host); }

std::string Server::url(const std::string& host) const {
  const bool six = host.find(':') != std::string::npos;
  return fmt::format("http{}://{}{}{}:{}", parts_->encrypted ? "s" : "", six ? "[" : "", host, six ? "]" : "",
                     parts_->port);
}

bool is_every_address(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

std::string new_token() {
  std::array<unsigned char, 32> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) throw Error("OpenSSL gives no random numbers");
  std::string token;
  for (const unsigned char byte : bytes) token += fmt::format("{:02x}", byte);
  return token;
}

}  // namespace etude::sweep
