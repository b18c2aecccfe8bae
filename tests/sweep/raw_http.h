#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace etude::sweep::testing {

/// A client that sends what it is told, well-formed or not.
class RawClient {
 public:
  explicit RawClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot connect");
    }
  }
  ~RawClient() {
    if (socket_ >= 0) ::close(socket_);
  }
  RawClient(RawClient&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  RawClient(const RawClient&) = delete;

  void send(const std::string& text) {
    [[maybe_unused]] const auto n = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
  }
  /// What comes until the other side closes, or for `seconds` at most.
  std::string receive_all(int seconds = 10) {
    std::string all;
    while (wait(seconds) && receive_more(all)) {
    }
    return all;
  }
  /// One answer whose head and body have come.
  std::string receive_answer(int seconds = 10) {
    std::string all;
    while (!complete(all) && wait(seconds) && receive_more(all)) {
    }
    return all;
  }
  /// Whether the other side has closed, as far as was received.
  bool closed() const { return closed_; }

 private:
  /// False when the other side has closed.
  bool receive_more(std::string& all) {
    char block[4096];
    const ssize_t count = ::recv(socket_, block, sizeof block, 0);
    closed_ = count <= 0;
    if (!closed_) all.append(block, static_cast<std::size_t>(count));
    return !closed_;
  }
  bool wait(int seconds) const {
    pollfd on{socket_, POLLIN, 0};
    return ::poll(&on, 1, 1000 * seconds) > 0;
  }
  static bool complete(const std::string& text) {
    const auto end = text.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const auto length = text.find("Content-Length: ");
    const std::size_t body = length < end ? std::stoul(text.substr(length + 16)) : 0;
    return text.size() >= end + 4 + body;
  }

  int socket_;
  bool closed_ = false;
};

inline int status_of(const std::string& answer) {
  return answer.starts_with("HTTP/1.1 ") ? std::stoi(answer.substr(9, 3)) : 0;
}

}  // namespace etude::sweep::testing
