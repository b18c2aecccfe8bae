#include "sweep/server/connection.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace etude::sweep {
namespace {

constexpr std::size_t kBlock = std::size_t{16} << 10;
constexpr std::size_t kToSend = std::size_t{1} << 20;  ///< of an answer, before it begins to be sent

std::pair<std::string, int> text_of(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &four.sin_addr, text.data(), text.size());
    return {text.data(), ntohs(four.sin_port)};
  }
  if (address.ss_family == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(address);
    if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) {
      inet_ntop(AF_INET, &six.sin6_addr.s6_addr[12], text.data(), text.size());
    } else {
      inet_ntop(AF_INET6, &six.sin6_addr, text.data(), text.size());
    }
    return {text.data(), ntohs(six.sin6_port)};
  }
  return {"", 0};
}

using GetName = int (*)(int, sockaddr*, socklen_t*);
std::pair<std::string, int> name_of(int socket, GetName get) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (get(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {"", 0};
  return text_of(address);
}

}  // namespace

std::string peer_address(int socket) {
  return name_of(socket, [](int s, sockaddr* a, socklen_t* n) { return getpeername(s, a, n); }).first;
}

Connection::Connection(int socket, int stop) : socket_(socket), stop_(stop) {
  fcntl(socket_, F_SETFL, fcntl(socket_, F_GETFL) | O_NONBLOCK);
  const int on = 1;  // answers are sent whole, so nothing is gained by waiting for more
  setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Connection::~Connection() {
  if (tls_) SSL_shutdown(tls_.get());
  tls_.reset();
  ::shutdown(socket_, SHUT_WR);
  ::close(socket_);
}

bool Connection::encrypt(SSL_CTX* context, Clock::time_point deadline) {
  deadline_ = deadline;
  tls_.reset(SSL_new(context));
  if (!tls_ || SSL_set_fd(tls_.get(), socket_) != 1) return false;
  while (true) {
    ERR_clear_error();
    const int done = SSL_accept(tls_.get());
    if (done == 1) return true;
    const int error = SSL_get_error(tls_.get(), done);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return false;
    if (!wait(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, true)) return false;
  }
}

bool Connection::await(Clock::time_point deadline) {
  deadline_ = deadline;
  return is_readable() || receive();
}

void Connection::begin(Clock::time_point deadline, std::size_t head_bytes) {
  deadline_ = deadline;
  allowed_ = head_bytes;
  in_body_ = false;
}

void Connection::begin_body(std::size_t body_bytes) {
  allowed_ = body_bytes;
  in_body_ = true;
}

ssize_t Connection::read(char* data, std::size_t size) {
  if (allowed_ == 0 || (!is_readable() && !receive())) return -1;
  const std::size_t count = std::min({size, allowed_, received_.size() - taken_});
  std::copy_n(received_.data() + taken_, count, data);
  taken_ += count;
  allowed_ -= count;
  return static_cast<ssize_t>(count);
}

ssize_t Connection::write(const char* data, std::size_t size) {
  to_send_.append(data, size);
  if (to_send_.size() >= kToSend && !flush()) return -1;
  return static_cast<ssize_t>(size);
}

bool Connection::receive() {
  received_.resize(kBlock);
  taken_ = 0;
  while (true) {
    if (tls_) {
      ERR_clear_error();
      const int count = SSL_read(tls_.get(), received_.data(), static_cast<int>(received_.size()));
      if (count > 0) {
        received_.resize(static_cast<std::size_t>(count));
        return true;
      }
      const int error = SSL_get_error(tls_.get(), count);
      if (error == SSL_ERROR_WANT_READ && wait(POLLIN, true)) continue;
      if (error == SSL_ERROR_WANT_WRITE && wait(POLLOUT, true)) continue;
    } else {
      const ssize_t count = ::recv(socket_, received_.data(), received_.size(), 0);
      if (count > 0) {
        received_.resize(static_cast<std::size_t>(count));
        return true;
      }
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && wait(POLLIN, true)) continue;
    }
    received_.clear();
    return false;
  }
}

bool Connection::flush() {
  std::size_t sent = 0;
  while (sent < to_send_.size()) {
    const char* const data = to_send_.data() + sent;
    const std::size_t size = std::min(to_send_.size() - sent, kToSend);
    short event = POLLOUT;
    if (tls_) {
      ERR_clear_error();
      const int count = SSL_write(tls_.get(), data, static_cast<int>(size));
      if (count > 0) {
        sent += static_cast<std::size_t>(count);
        continue;
      }
      const int error = SSL_get_error(tls_.get(), count);
      if (error == SSL_ERROR_WANT_READ) {
        event = POLLIN;
      } else if (error != SSL_ERROR_WANT_WRITE) {
        break;
      }
    } else {
      const ssize_t count = ::send(socket_, data, size, MSG_NOSIGNAL);
      if (count > 0) {
        sent += static_cast<std::size_t>(count);
        continue;
      }
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) break;
    }
    if (!wait(event, false)) break;
  }
  const bool all = sent == to_send_.size();
  to_send_.clear();
  return all;
}

void Connection::linger() {
  constexpr std::size_t kMost = std::size_t{8} << 20;
  ::shutdown(socket_, SHUT_WR);
  deadline_ = std::min(deadline_, Clock::now() + std::chrono::seconds(1));
  for (std::size_t taken = 0; taken < kMost && receive(); taken += received_.size()) {
  }
}

bool Connection::wait(short events, bool unless_stopped) {
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now()).count() + 1;
    if (left <= 0) return false;
    std::array<pollfd, 2> on{pollfd{socket_, events, 0}, pollfd{unless_stopped ? stop_ : -1, POLLIN, 0}};
    const int ready = ::poll(on.data(), on.size(), static_cast<int>(std::min<std::int64_t>(left, 3'600'000)));
    if (ready < 0 && errno != EINTR) return false;
    if (ready > 0) return on[1].revents == 0;
  }
}

void Connection::get_remote_ip_and_port(std::string& address, int& port) const {
  std::tie(address, port) = name_of(socket_, [](int s, sockaddr* a, socklen_t* n) { return getpeername(s, a, n); });
}

void Connection::get_local_ip_and_port(std::string& address, int& port) const {
  std::tie(address, port) = name_of(socket_, [](int s, sockaddr* a, socklen_t* n) { return getsockname(s, a, n); });
}

}  // namespace etude::sweep
