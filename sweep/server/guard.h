#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace etude::sweep {

/// What a refused request is answered with.
struct Objection {
  int status = 400;
  std::string what;
};

/// What there is to know of a request before its body is read.
struct RequestHead {
  std::string method, path, address;
  std::string host, origin, fetch_site, authorization, content_type;
  bool encoded = false;  ///< its body is compressed
  std::optional<std::size_t> length;
};

struct GuardOptions {
  std::string token;       ///< empty: none is asked for, which is for a controller that its own machine alone reaches
  bool encrypted = false;  ///< it speaks HTTPS
  std::size_t body_bytes = 1u << 20;
  double requests_per_second = 5000;  ///< from one address, lasting; 0 for no bound
};

/// Decides who may ask at all. Safe to be used from many threads.
class Guard {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Guard(GuardOptions options);

  /// Nothing where the request may be answered.
  std::optional<Objection> object_to(const RequestHead& request, Clock::time_point now = Clock::now());

 private:
  struct Bucket {
    double left = 0;
    Clock::time_point filled;
  };

  bool too_many(const std::string& address, Clock::time_point now);
  bool has_token(std::string_view authorization) const;

  GuardOptions options_;
  std::array<unsigned char, 32> token_hash_{};
  std::mutex mutex_;
  std::map<std::string, Bucket> buckets_;
};

/// "localhost", 127.0.0.0/8 or ::1, as a person or the header Host may write it ("[::1]:8080").
bool is_loopback(std::string_view host);

}  // namespace etude::sweep
