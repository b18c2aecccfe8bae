#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include <httplib.h>
#include <openssl/ssl.h>

namespace etude::sweep {

/// One client's connection, encrypted or not. In place of httplib's own streams, whose timeouts are for one read each:
/// a client that sends a byte now and then could hold a thread for ever. Here a whole request has a deadline and a
/// size.
class Connection final : public httplib::Stream {
 public:
  using Clock = std::chrono::steady_clock;

  /// Takes over `socket`. Whoever waits here for a client gives up when `stop` (an eventfd) becomes readable.
  Connection(int socket, int stop);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Speaks TLS from now on; false where the client does not.
  bool encrypt(SSL_CTX* context, Clock::time_point deadline);
  /// Whether a request begins before `deadline`.
  bool await(Clock::time_point deadline);
  /// A request may take until `deadline`, and its head at most `head_bytes`.
  void begin(Clock::time_point deadline, std::size_t head_bytes);
  /// Its head is read, and `body_bytes` are to come.
  void begin_body(std::size_t body_bytes);
  /// Whether all of it was read: otherwise what follows is not the next request.
  bool at_end() const { return in_body_ && allowed_ == 0; }
  /// Sends what was written.
  bool flush();
  /// Before it is closed with something unread: takes a little more, since the client would otherwise see a reset in
  /// place of its answer.
  void linger();

  bool is_readable() const override { return taken_ < received_.size(); }
  bool is_writable() const override { return true; }
  ssize_t read(char* data, std::size_t size) override;
  ssize_t write(const char* data, std::size_t size) override;
  using httplib::Stream::write;
  void get_remote_ip_and_port(std::string& address, int& port) const override;
  void get_local_ip_and_port(std::string& address, int& port) const override;
  socket_t socket() const override { return socket_; }

 private:
  bool receive();
  /// Whether the socket is ready for `events` in time.
  bool wait(short events, bool unless_stopped);

  struct Free {
    void operator()(SSL* tls) const { SSL_free(tls); }
  };
  int socket_, stop_;
  std::unique_ptr<SSL, Free> tls_;
  Clock::time_point deadline_;
  std::string received_;
  std::size_t taken_ = 0;
  std::size_t allowed_ = 0;  ///< bytes that may still be read of this request
  bool in_body_ = false;
  std::string to_send_;
};

/// "192.0.2.1", "::1"; IPv4 within IPv6 as IPv4. Empty when the other side is gone.
std::string peer_address(int socket);

}  // namespace etude::sweep
