#include "report/run.h"

#include <cmath>

namespace etude::report {

std::string Run::kind() const {
  const auto found = config.find("model.kind");
  return found != config.end() && found->is_string() ? found->get<std::string>() : "unknown";
}

std::optional<double> Run::number(const Json& document, std::initializer_list<const char*> keys) {
  const Json* at = &document;
  for (const char* key : keys) {
    if (!at->is_object()) return std::nullopt;
    const auto found = at->find(key);
    if (found == at->end()) return std::nullopt;
    at = &*found;
  }
  if (!at->is_number()) return std::nullopt;
  const double value = at->get<double>();
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::string Run::text(const Json& document, const char* key) {
  if (!document.is_object()) return "";
  const auto found = document.find(key);
  return found != document.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace etude::report
