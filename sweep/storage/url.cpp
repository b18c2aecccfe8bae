#include "sweep/storage/url.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "framework/config/error.h"
#include "sweep/storage/storage.h"

namespace etude::sweep {
namespace {

constexpr std::string_view kStars = "***";

struct Span {
  std::size_t begin, size;
};

/// Where in the URL passwords stand: between ':' and '@' of its authority, and as ?password=.
std::vector<Span> passwords(const std::string& url) {
  std::vector<Span> found;
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) return found;
  const std::size_t begin = scheme + 3;
  const std::size_t query = std::min(url.find('?', begin), url.size());
  // A password may itself hold '/' or '@' where nobody escaped it: the last '@' ends it.
  const std::size_t at = url.substr(0, query).rfind('@');
  if (at != std::string::npos && at >= begin) {
    const std::size_t colon = url.find(':', begin);
    if (colon < at) found.push_back({colon + 1, at - colon - 1});
  }
  for (const std::string_view key : {"?password=", "&password=", "?sslpassword=", "&sslpassword="}) {
    const std::size_t place = url.find(key, query);
    if (place == std::string::npos) continue;
    const std::size_t value = place + key.size();
    found.push_back({value, std::min(url.find('&', value), url.size()) - value});
  }
  std::sort(found.begin(), found.end(), [](Span a, Span b) { return a.begin < b.begin; });
  return found;
}

std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](std::size_t at) {
      return at < text.size() && std::isxdigit(static_cast<unsigned char>(text[at])) != 0;
    };
    if (text[i] == '%' && digit(i + 1) && digit(i + 2)) {
      plain += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::string escaped(std::string_view text) {
  std::string all;
  for (const char c : text) all += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return all;
}

}  // namespace

std::string without_password(const std::string& url) {
  std::string shown = url;
  const std::vector<Span> all = passwords(url);
  for (auto span = all.rbegin(); span != all.rend(); ++span) shown.replace(span->begin, span->size, kStars);
  return shown;
}

std::string struck_out(std::string text, const std::string& url) {
  for (const Span span : passwords(url)) {
    const std::string written = url.substr(span.begin, span.size);
    for (const std::string& secret : {written, unescaped(written)}) {
      if (secret.empty()) continue;
      for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos; at += kStars.size()) {
        text.replace(at, secret.size(), kStars);
      }
    }
  }
  return text;
}

StorageUrl StorageUrl::parse(const std::string& url) {
  const std::size_t end = url.find("://");
  const std::string scheme = end == std::string::npos ? "" : url.substr(0, end);
  const std::string rest = end == std::string::npos ? "" : url.substr(end + 3);
  StorageUrl parsed;
  // SQLAlchemy's spelling names the Python driver as well: postgresql+psycopg2://
  const std::string dialect = scheme.substr(0, scheme.find('+'));
  if (dialect == "postgresql" || dialect == "postgres") {
    parsed.kind = Kind::kPostgresql;
    parsed.server = "postgresql://" + rest;
    // Escaped as a whole, a password cannot be taken for a host, and be told of as one.
    const std::vector<Span> secret = passwords(parsed.server);
    for (auto span = secret.rbegin(); span != secret.rend(); ++span) {
      const std::string plain = unescaped(std::string_view(parsed.server).substr(span->begin, span->size));
      parsed.server.replace(span->begin, span->size, escaped(plain));
    }
    parsed.shown = without_password(parsed.server);
    return parsed;
  }
  if (dialect != "sqlite" && dialect != "journal") {
    throw UsageError(
        fmt::format("'{}' is no storage: there are sqlite:///sweep.db (sqlite:////… for an absolute path), "
                    "postgresql://user@host/database and journal:///sweep.log",
                    without_password(url)));
  }
  parsed.kind = dialect == "sqlite" ? Kind::kSqlite : Kind::kJournal;
  if (rest.size() < 2 || rest[0] != '/') {
    throw UsageError(
        fmt::format("'{}' names no file: {}:///relative/path or {}:////absolute/path", url, scheme, scheme));
  }
  if (rest == "/:memory:") {
    throw UsageError(fmt::format("'{}' would be gone with the program: name a file, as in sqlite:///sweep.db", url));
  }
  parsed.file = rest.substr(1);
  parsed.shown = parsed.file.string();
  return parsed;
}

}  // namespace etude::sweep
