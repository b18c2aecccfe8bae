#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "sweep/desk.h"
#include "sweep/server/views.h"

namespace etude::sweep {

/// What the API shows beside the study.
struct ApiParts {
  std::string version;                                    ///< of this program
  std::function<std::string(std::int64_t trial)> folder;  ///< where that trial runs
  std::function<std::string(const Trial& trial)> yaml;    ///< the experiment of a trial, ready to train
};

struct Reply {
  int status = 200;
  std::string body = "{}";  ///< JSON
};

/// The JSON API over a desk, whatever carries it. Safe to be called from many threads. See docs/sweep-api.md.
class Api {
 public:
  using Query = std::map<std::string, std::string>;

  Api(Desk& desk, ApiParts parts);

  /// Never throws.
  Reply answer(const std::string& method, std::string_view path, const Query& query, const std::string& body);

 private:
  using Words = std::vector<std::string_view>;

  Json get(const Words& path, const Query& query);
  Json post(const Words& path, const std::string& body);

  Json trials(const Query& query);
  Json importance(const Query& query);
  Json best();
  Json ask(const std::string& body);
  Json report(std::int64_t number, const std::string& body);
  Json shown(const TrialView& view) const;
  TrialView find(std::int64_t number);

  struct Known {
    std::string incarnation;
    std::uint64_t revision = 0;
    Json importances;
  };

  Desk& desk_;
  ApiParts parts_;
  std::vector<std::string> objectives_;
  std::mutex importance_mutex_;  ///< it is computed once at a time
  std::map<std::size_t, Known> importances_;
};

}  // namespace etude::sweep
