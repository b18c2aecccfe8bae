#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "sweep/desk.h"
#include "sweep/server/api.h"

namespace etude::sweep {

struct ServerOptions {
  std::string host = "127.0.0.1";
  int port = 0;                            ///< 0: one that is free
  std::filesystem::path certificate, key;  ///< PEM; with both it speaks HTTPS
  std::string token;                       ///< needed unless `host` is this machine alone
  double requests_per_second = 5000;       ///< from one address, lasting; 0 for no bound
  double request_seconds = 10;             ///< within which all of a request has to come
  double idle_seconds = 75;                ///< that a connection is kept between requests
};

/// The controller over HTTP or HTTPS: the JSON API, and the page at "/". It answers from when it is made until it is
/// destroyed.
class Server {
 public:
  /// `desk` has to outlive it. Throws UsageError: the port is in use, there is no token where one is needed, the
  /// certificate is none.
  Server(Desk& desk, const ServerOptions& options, ApiParts parts = {});
  ~Server();

  int port() const;
  /// "http://127.0.0.1:8080": where this machine finds it.
  std::string url() const;
  /// Where those find it who know this machine by that name or address.
  std::string url(const std::string& host) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// Whether a host to listen on means every address of this machine.
bool is_every_address(const std::string& host);

/// 256 random bits as 64 hexadecimal digits.
std::string new_token();

}  // namespace etude::sweep
