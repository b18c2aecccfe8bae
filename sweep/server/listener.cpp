#include "sweep/server/listener.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <system_error>

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "framework/config/error.h"

namespace etude::sweep {
namespace {

/// How many clients may be about to be let in: as many as there may be trials beginning at once.
constexpr int kBacklog = 512;

SSL_CTX* tls_context(const std::filesystem::path& certificate, const std::filesystem::path& key) {
  SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
  if (!context) throw Error("OpenSSL gives no context for TLS");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return -1; });  // else OpenSSL asks the terminal
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  const auto fail = [&](const std::string& what) {
    SSL_CTX_free(context);
    ERR_clear_error();
    throw UsageError(what);
  };
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
    fail(fmt::format("'{}' is no certificate in PEM that can be read", certificate.string()));
  }
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    fail(fmt::format("'{}' is no private key in PEM (without a password) that can be read and belongs to '{}'",
                     key.string(), certificate.string()));
  }
  return context;
}

}  // namespace

std::optional<std::size_t> declared_length(const httplib::Request& request) {
  if (request.has_header("Transfer-Encoding") || request.get_header_value_count("Content-Length") != 1)
    return std::nullopt;
  const std::string text = request.get_header_value("Content-Length");
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(length) : std::nullopt;
}

Listener::Listener(const ListenerLimits& limits, const std::filesystem::path& certificate,
                   const std::filesystem::path& key)
    : limits_(limits) {
  if (certificate.empty() != key.empty()) {
    throw UsageError("a certificate and its key go together: give both, or none for plain HTTP");
  }
  if (!certificate.empty()) tls_.reset(tls_context(certificate, key));
  stop_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (stop_ < 0) throw Error(fmt::format("no eventfd: {}", std::generic_category().message(errno)));

  // Connections begin to be served in threads of their own, so that one that admits them is enough.
  new_task_queue = [] { return new httplib::ThreadPool(1); };
  // httplib's own choice, SO_REUSEPORT, lets a second controller listen on the same port unnoticed.
  set_socket_options([](socket_t socket) {
    const int on = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
  set_payload_max_length(limits_.body_bytes);
  set_keep_alive_max_count(1'000'000);
  set_keep_alive_timeout(std::chrono::duration_cast<std::chrono::seconds>(limits_.idle).count());
}

Listener::~Listener() {
  stop_all();
  ::close(stop_);
}

int Listener::start(const std::string& host, int port) {
  errno = 0;
  const int bound = port == 0 ? bind_to_any_port(host) : bind_to_port(host, port) ? port : -1;
  if (bound < 0) {
    const int reason = errno;
    if (reason == EADDRINUSE) {
      throw UsageError(
          fmt::format("port {} of {} is in use already, perhaps by another controller: choose another port, "
                      "or 0 for one that is free",
                      port, host));
    }
    throw UsageError(
        fmt::format("cannot listen on port {} of '{}': {}", port, host,
                    reason ? std::generic_category().message(reason) : "this machine has no such address"));
  }
  ::listen(svr_sock_, kBacklog);  // httplib's is 5: of 64 trials that begin at once most would wait a second
  thread_ = std::thread([this] { listen_after_bind(); });
  while (!is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));  // else stop() stops nothing
  return bound;
}

void Listener::stop_all() {
  if (!thread_.joinable()) return;
  stop();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(stop_, &one, sizeof one);
  thread_.join();
  // Who is being answered gets the answer, if it is taken soon.
  const auto patience = Connection::Clock::now() + std::chrono::seconds(2);
  for (std::unique_lock lock(mutex_); !guests_.empty(); lock.lock()) {
    forget_the_gone();
    if (Connection::Clock::now() > patience) {
      for (Guest& guest : guests_) ::shutdown(guest.socket, SHUT_RDWR);
    }
    lock.unlock();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

bool Listener::process_and_close_socket(socket_t socket) {
  const std::lock_guard lock(mutex_);
  forget_the_gone();
  std::string address = peer_address(socket);
  const bool room =
      (count(address) < limits_.connections_each || evict(address)) && (count("") < limits_.connections || evict(""));
  if (!room || stopping_) {
    ::close(socket);
    return false;
  }
  Guest& guest = guests_.emplace_back();
  guest.socket = socket;
  guest.address = std::move(address);
  try {
    guest.thread = std::thread([this, &guest] { serve(guest); });
  } catch (const std::system_error&) {  // no thread to be had; the client tries again
    ::close(socket);
    guests_.pop_back();
    return false;
  }
  return true;
}

void Listener::serve(Guest& guest) {
  const bool far = guest.address != "127.0.0.1" && guest.address != "::1";
  {
    Connection connection(guest.socket, stop_);
    if (!tls_ || connection.encrypt(tls_.get(), Connection::Clock::now() + limits_.request)) {
      while (true) {
        const auto now = Connection::Clock::now();
        guest.idle_since = now.time_since_epoch().count();
        const bool more = connection.await(now + limits_.idle);
        guest.idle_since = kBusy;
        if (!more || !answer_one(connection, far)) break;
      }
    }
    const std::lock_guard lock(mutex_);
    guest.gone = true;  // before its socket is closed and its number means another's
  }
}

bool Listener::answer_one(Connection& connection, bool far) {
  connection.begin(Connection::Clock::now() + limits_.request, limits_.head_bytes);
  bool closed = false;
  bool certain = false;  // where this request ends, and the next begins
  const bool done = process_request(connection, false, closed, [&](httplib::Request& request) {
    const auto length = declared_length(request);
    certain = length || !(request.has_header("Transfer-Encoding") || request.has_header("Content-Length"));
    connection.begin_body(length.value_or(0));
    // Parts of an answer and Brotli, which takes seconds for a long one, are nothing we offer.
    request.ranges.clear();
    const bool gzip = request.get_header_value("Accept-Encoding").find("gzip") != std::string::npos;
    request.headers.erase("Accept-Encoding");
    if (gzip && far && request.method == "GET") {
      request.set_header("Accept-Encoding", "gzip");
    }
  });
  if (!connection.flush()) return false;
  if (!certain || !connection.at_end()) {
    connection.linger();
    return false;
  }
  return done && !closed;
}

void Listener::forget_the_gone() {
  for (auto guest = guests_.begin(); guest != guests_.end();) {
    if (guest->gone) {
      guest->thread.join();
      guest = guests_.erase(guest);
    } else {
      ++guest;
    }
  }
}

std::size_t Listener::count(const std::string& address) const {
  return static_cast<std::size_t>(std::count_if(guests_.begin(), guests_.end(), [&](const Guest& guest) {
    return !guest.gone && (address.empty() || guest.address == address);
  }));
}

bool Listener::evict(const std::string& address) {
  Guest* oldest = nullptr;
  for (Guest& guest : guests_) {
    if (guest.gone || guest.idle_since == kBusy || (!address.empty() && guest.address != address)) continue;
    if (!oldest || guest.idle_since.load() < oldest->idle_since.load()) oldest = &guest;
  }
  if (!oldest) return false;
  oldest->idle_since = kBusy;
  ::shutdown(oldest->socket, SHUT_RDWR);
  return true;
}

}  // namespace etude::sweep
