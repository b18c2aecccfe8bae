#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "framework/config/error.h"

namespace etude::http {

/// Nobody answered, or not in the words of HTTP.
class NoAnswer : public Error {
 public:
  using Error::Error;
};

/// An address in its parts.
struct Url {
  std::string origin;  ///< "https://host:5000", in which no path stands
  std::string path;    ///< what paths are put behind: "" or "/mlflow", without a slash at its end
};
/// Nothing but "http://…" and "https://…", without a name or password in it, which would stand in every log. Throws
/// UsageError.
Url parse_url(const std::string& text);

struct ClientOptions {
  std::string url;
  std::string token = {};                  ///< sent as "Authorization: Bearer …"; empty where none is asked for
  std::string user = {}, password = {};    ///< or as "Basic …", where there is a user
  std::filesystem::path certificate = {};  ///< PEM, of the server or who signed it; empty: whom this machine trusts
  double connect_seconds = 5;
  double answer_seconds = 15;  ///< without a further byte
};

struct Answer {
  int status = 0;
  std::string body;
};

/// Speaks with one server, over HTTP or HTTPS. Keeps its connection, and makes a new one once where the old one turns
/// out to be closed. For one thread, but for interrupt().
class Client {
 public:
  /// Asks nothing yet. Throws UsageError for a URL that is none.
  explicit Client(const ClientOptions& options);
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  /// `path` is put behind that of the URL. Both throw NoAnswer, also for an answer of more than 64 MB.
  Answer get(const std::string& path);
  Answer post(const std::string& path, const std::string& body, const std::string& type = "application/json");

  /// From another thread: what is being asked fails soon with NoAnswer (while a connection is being made, or a name
  /// looked up, not before that is done).
  void interrupt();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace etude::http
