#include "framework/comm/socket.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "framework/config/error.h"

namespace etude::comm {
namespace {

using std::chrono::milliseconds;

/// Between two tries to connect: a rank that comes a little later is met at once, and a thousand do no harm.
constexpr milliseconds kBetweenTries{100};

int milliseconds_until(Socket::Clock::time_point deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - Socket::Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000));
}

/// Waits until the descriptor has what `events` asks for; false when the time is up. Negative: for ever.
bool wait_for(int descriptor, short events, int timeout) {
  pollfd one{descriptor, events, 0};
  int ready = 0;
  do {
    ready = ::poll(&one, 1, timeout);
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

void send_at_once(int descriptor) {
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// One try to connect to one address; -1 and errno when nobody is there.
int try_to_connect(const addrinfo& address, Socket::Clock::time_point deadline) {
  const int descriptor =
      ::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address.ai_protocol);
  if (descriptor < 0) return -1;
  int problem = ::connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  if (problem == EINPROGRESS) {
    socklen_t size = sizeof problem;
    if (!wait_for(descriptor, POLLOUT, milliseconds_until(deadline))) {
      problem = ETIMEDOUT;
    } else if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &problem, &size) != 0) {
      problem = errno;
    }
  }
  if (problem == 0) return descriptor;
  ::close(descriptor);
  errno = problem;
  return -1;
}

}  // namespace

Socket::Socket(int descriptor, std::string peer) : descriptor_(descriptor), peer_(std::move(peer)) {
  send_at_once(descriptor_);
}

Socket::~Socket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Socket::Socket(Socket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), peer_(std::move(other.peer_)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(peer_, other.peer_);
  return *this;
}

Socket Socket::connect(const std::string& host, int port, Clock::time_point deadline) {
  const std::string place = fmt::format("{}:{}", host, port);
  std::string problem = "no time was left to try";
  while (Clock::now() < deadline) {
    addrinfo wanted{}, *list = nullptr;
    wanted.ai_socktype = SOCK_STREAM;
    const int found = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &list);
    if (found != 0) {
      problem = ::gai_strerror(found);
    } else {
      const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(list, ::freeaddrinfo);
      for (const addrinfo* address = list; address != nullptr; address = address->ai_next) {
        const int descriptor = try_to_connect(*address, deadline);
        if (descriptor >= 0) return {descriptor, place};
        problem = std::strerror(errno);
      }
    }
    std::this_thread::sleep_for(std::min<Clock::duration>(kBetweenTries, deadline - Clock::now()));
  }
  throw Error(
      fmt::format("rank 0 was not to be reached at {} ({}); is it running, and are MASTER_ADDR and MASTER_PORT the "
                  "same everywhere?",
                  place, problem));
}

void Socket::send(const void* data, std::size_t bytes) {
  const char* next = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t sent = ::send(descriptor_, next, bytes, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      wait_for(descriptor_, POLLOUT, -1);
      continue;
    }
    if (sent < 0) throw Error(fmt::format("{} is gone: {}", peer_, std::strerror(errno)));
    next += sent;
    bytes -= static_cast<std::size_t>(sent);
  }
}

void Socket::receive(void* data, std::size_t bytes, std::chrono::seconds patience) {
  char* next = static_cast<char*>(data);
  while (bytes > 0) {
    const int timeout = patience.count() > 0 ? static_cast<int>(milliseconds(patience).count()) : -1;
    if (!wait_for(descriptor_, POLLIN, timeout)) {
      throw Error(fmt::format("{} has said nothing for {} s", peer_, patience.count()));
    }
    const ssize_t received = ::recv(descriptor_, next, bytes, 0);
    if (received < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)) continue;
    if (received < 0) throw Error(fmt::format("{} is gone: {}", peer_, std::strerror(errno)));
    if (received == 0) throw Error(fmt::format("{} is gone: it has closed the connection", peer_));
    next += received;
    bytes -= static_cast<std::size_t>(received);
  }
}

bool Socket::closed() const {
  if (descriptor_ < 0) return true;
  char byte = 0;
  const ssize_t seen = ::recv(descriptor_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return seen == 0 || (seen < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

Listener::Listener(int port) : descriptor_(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_addr = in6addr_any;
  six.sin6_port = htons(static_cast<std::uint16_t>(port));
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = six.sin6_port;
  const int on = 1, off = 0;
  auto* address = reinterpret_cast<sockaddr*>(&six);
  socklen_t size = sizeof six;
  if (descriptor_ < 0) {  // a machine without IPv6
    descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    address = reinterpret_cast<sockaddr*>(&four);
    size = sizeof four;
  } else {
    ::setsockopt(descriptor_, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  ::setsockopt(descriptor_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (descriptor_ >= 0 && ::bind(descriptor_, address, size) == 0 && ::listen(descriptor_, SOMAXCONN) == 0) return;
  const int problem = errno;
  if (descriptor_ >= 0) ::close(descriptor_);
  throw Error(fmt::format("MASTER_PORT={}: rank 0 cannot listen there: {}; choose a free port, the same for all ranks",
                          port, std::strerror(problem)));
}

Listener::~Listener() { ::close(descriptor_); }

bool Listener::accept(Socket& into, Socket::Clock::time_point deadline) {
  while (wait_for(descriptor_, POLLIN, milliseconds_until(deadline))) {
    const int connected = ::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connected < 0) continue;  // whoever it was has gone again
    into = Socket(connected, "a rank that has not said which");
    return true;
  }
  return false;
}

}  // namespace etude::comm
