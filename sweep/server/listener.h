#pragma once

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <httplib.h>

#include "framework/files/posix.h"
#include "sweep/server/connection.h"

namespace etude::sweep {

/// How much of this machine clients may take.
struct ListenerLimits {
  std::size_t connections = 512;       ///< each is a thread while it is open; below FD_SETSIZE, which httplib knows
  std::size_t connections_each = 384;  ///< from one address
  std::size_t head_bytes = 32u << 10;  ///< of a request, without its body
  std::size_t body_bytes = 1u << 20;
  std::chrono::milliseconds request{10'000};  ///< within which all of a request has to come, and its answer be taken
  std::chrono::milliseconds idle{75'000};     ///< between requests
};

/// How long the body of a request is; nothing where it does not say so, or not once and for all.
std::optional<std::size_t> declared_length(const httplib::Request& request);

/// httplib's server with connections of our own: one thread each while they are open, idle ones given up when all are
/// taken, so that slow and silent clients keep no one else out; and a stop that waits for nobody.
class Listener : public httplib::Server {
 public:
  /// With a certificate it speaks HTTPS. Throws UsageError where the files are none or do not belong together.
  Listener(const ListenerLimits& limits, const std::filesystem::path& certificate, const std::filesystem::path& key);
  ~Listener() override;

  /// Listens at once; returns the port. Throws UsageError when that cannot be.
  int start(const std::string& host, int port);
  /// No request is answered after this.
  void stop_all();

 private:
  static constexpr Connection::Clock::rep kBusy = 0;
  struct Guest {
    int socket = -1;
    std::string address;
    std::atomic<Connection::Clock::rep> idle_since{kBusy};
    bool gone = false;  ///< its socket is closed, and its thread about to end
    std::thread thread;
  };

  /// httplib's word for: serve this client until it goes.
  bool process_and_close_socket(socket_t socket) override;
  void serve(Guest& guest);
  bool answer_one(Connection& connection, bool far);
  /// Under the mutex.
  void forget_the_gone();
  /// Gives up the connection that was idle the longest; from this address, or any where it is empty.
  bool evict(const std::string& address);
  std::size_t count(const std::string& address) const;

  struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };

  ListenerLimits limits_;
  std::unique_ptr<SSL_CTX, FreeContext> tls_;
  int stop_ = -1;
  std::mutex mutex_;
  std::list<Guest> guests_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace etude::sweep
