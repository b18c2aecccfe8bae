#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sweep/desk.h"

namespace etude::sweep {

/// Nobody answered, or not now (429, 5xx): the same may be asked again, nothing is done twice.
class Unreachable : public Error {
 public:
  using Error::Error;
};

struct ClientOptions {
  std::string url;                    ///< "http://node1:8080", "https://…"
  std::string token;                  ///< empty where none is asked for
  std::filesystem::path certificate;  ///< PEM, of the controller or who signed it; empty: whom this machine trusts
  double connect_seconds = 5;
  double answer_seconds = 15;
};

/// What a worker needs of a controller that is elsewhere. Keeps its connection, and makes a new one once where the old
/// one turns out to be closed. Everything throws Unreachable, or Refusal where the controller says no. For one thread.
class Client {
 public:
  /// Asks nothing yet. Throws UsageError for a URL that is none.
  explicit Client(const ClientOptions& options);
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  /// A trial, or nothing now; then `over`, where given, is why never again, empty when there may be one later.
  std::optional<Order> ask(const Worker& worker, const std::string& request, std::string* over = nullptr);
  Answer report(std::int64_t number, const std::vector<Measurement>& measurements);
  Answer heartbeat(std::int64_t number) { return report(number, {}); }
  void tell(std::int64_t number, const Outcome& outcome);
  std::int64_t enqueue(const std::map<std::string, Json>& values, const std::string& request);
  void stop();

  /// Any other question of the API, such as "/api/study".
  Json get(const std::string& path);
  Json post(const std::string& path, const Json& body);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace etude::sweep
