#include "sweep/server/guard.h"

#include <algorithm>
#include <cctype>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace etude::sweep {
namespace {

constexpr std::size_t kAddresses = 4096;  ///< that are counted at once
constexpr double kBurst = 2;              ///< seconds' worth of requests at once
constexpr std::size_t kPath = 512;

std::array<unsigned char, 32> sha256(std::string_view text) {
  std::array<unsigned char, 32> hash{};
  EVP_Digest(text.data(), text.size(), hash.data(), nullptr, EVP_sha256(), nullptr);
  return hash;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  const auto colon = host.find(':');
  return colon == host.rfind(':') ? host.substr(0, colon) : host;  // more than one: IPv6 without brackets
}

bool is_json(const std::string& content_type) {
  std::string type = lower(content_type.substr(0, content_type.find(';')));
  type.erase(type.find_last_not_of(" \t") + 1);
  return type == "application/json";
}

}  // namespace

bool is_loopback(std::string_view host) {
  const std::string name = lower(without_port(host));
  in_addr four{};
  in6_addr six{};
  if (inet_pton(AF_INET, name.c_str(), &four) == 1) return ntohl(four.s_addr) >> 24 == 127;
  if (inet_pton(AF_INET6, name.c_str(), &six) == 1) return IN6_IS_ADDR_LOOPBACK(&six);
  return name == "localhost";
}

Guard::Guard(GuardOptions options) : options_(std::move(options)), token_hash_(sha256(options_.token)) {}

std::optional<Objection> Guard::object_to(const RequestHead& request, Clock::time_point now) {
  if (too_many(request.address, now)) {
    return Objection{429, "more requests a second than one address may send: wait a second"};
  }
  if (request.path.size() > kPath) return Objection{404, "no such address"};
  // Without a token everything this machine's browser shows could ask: a page of elsewhere, whose name was made to mean
  // 127.0.0.1 (DNS rebinding), comes with that name.
  if (options_.token.empty() && !is_loopback(request.host)) {
    return Objection{403, fmt::format("this controller is its own machine's: ask for http{}://127.0.0.1, not '{}'",
                                      options_.encrypted ? "s" : "", request.host)};
  }
  const bool foreign = !request.origin.empty() &&
                       request.origin != fmt::format("http{}://{}", options_.encrypted ? "s" : "", request.host);
  if (foreign || (request.fetch_site == "cross-site" && request.method != "GET")) {
    return Objection{403, "a page of another site may not ask here"};
  }
  if (request.path.starts_with("/api") && !options_.token.empty() && !has_token(request.authorization)) {
    return Objection{401, "the controller's token is missing or another one: send 'Authorization: Bearer TOKEN'"};
  }
  if (request.method != "POST") return std::nullopt;
  if (!is_json(request.content_type)) return Objection{415, "send JSON, with 'Content-Type: application/json'"};
  if (request.encoded) return Objection{415, "send the body as it is, not compressed"};
  if (!request.length) return Objection{411, "say with Content-Length how long the body is"};
  if (*request.length > options_.body_bytes) {
    return Objection{413, fmt::format("the body has {} bytes, and {} are allowed: send reports in parts",
                                      *request.length, options_.body_bytes)};
  }
  return std::nullopt;
}

bool Guard::has_token(std::string_view authorization) const {
  constexpr std::string_view kScheme = "bearer ";
  if (lower(authorization.substr(0, kScheme.size())) != kScheme) return false;
  // Hashes have one length, and comparing them takes the same time wherever they differ.
  const auto hash = sha256(authorization.substr(kScheme.size()));
  return CRYPTO_memcmp(hash.data(), token_hash_.data(), hash.size()) == 0;
}

bool Guard::too_many(const std::string& address, Clock::time_point now) {
  if (options_.requests_per_second <= 0) return false;
  const double most = kBurst * options_.requests_per_second;
  const auto filled = [&](const Bucket& bucket) {
    const double seconds = std::chrono::duration<double>(now - bucket.filled).count();
    return std::min(most, bucket.left + seconds * options_.requests_per_second);
  };
  const std::lock_guard lock(mutex_);
  if (buckets_.size() >= kAddresses)
    std::erase_if(buckets_, [&](const auto& one) { return filled(one.second) >= most; });
  const auto [bucket, added] = buckets_.try_emplace(address, Bucket{most, now});
  bucket->second = {filled(bucket->second), now};
  if (bucket->second.left < 1) return true;
  bucket->second.left -= 1;
  return false;
}

}  // namespace etude::sweep
