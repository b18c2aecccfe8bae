#pragma once

#include <optional>
#include <string>

namespace etude::report {

/// What an hour costs; nothing where nobody said.
struct Prices {
  std::optional<double> core_hour;
  std::optional<double> gpu_hour;
  std::string currency = "USD";
};

}  // namespace etude::report
