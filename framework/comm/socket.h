#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace etude::comm {

/// A TCP connection to another rank. Whole messages go through it or an Error says what became of the other side.
class Socket {
 public:
  using Clock = std::chrono::steady_clock;

  Socket() = default;
  /// Takes over a connected descriptor. `peer` names the other side in messages: "rank 3", "master:29500".
  Socket(int descriptor, std::string peer);
  ~Socket();
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;

  /// Connects, and tries again while nobody listens there. Throws Error when `deadline` passes.
  static Socket connect(const std::string& host, int port, Clock::time_point deadline);

  void send(const void* data, std::size_t bytes);
  /// Throws Error when the connection ends first, or when nothing at all has come for `patience` (0: for ever).
  void receive(void* data, std::size_t bytes, std::chrono::seconds patience = std::chrono::seconds(0));

  /// Whether the other side has closed, as the system does for a process that dies. Does not wait.
  bool closed() const;
  void name_peer(std::string peer) { peer_ = std::move(peer); }
  const std::string& peer() const { return peer_; }

 private:
  int descriptor_ = -1;
  std::string peer_;
};

/// Where other ranks are waited for.
class Listener {
 public:
  /// Throws Error when the port is taken.
  explicit Listener(int port);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// The next connection; an empty one when `deadline` passes.
  bool accept(Socket& into, Socket::Clock::time_point deadline);

 private:
  int descriptor_ = -1;
};

}  // namespace etude::comm
