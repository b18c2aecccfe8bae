#include "framework/log/listener.h"

#include <chrono>

#include <nlohmann/json.hpp>

namespace etude::log {
namespace {

void take_numbers(const nlohmann::json& row, const std::string& path, std::map<std::string, double>& values) {
  for (const auto& [name, value] : row.items()) {
    if (value.is_number()) values[path + name] = value.get<double>();
    if (value.is_object()) take_numbers(value, path + name + ".", values);
  }
}

}  // namespace

Figures figures_of(const nlohmann::json& row) {
  Figures figures{row.at("step").get<std::int64_t>(), seconds_since_1970(), {}};
  take_numbers(row, "", figures.values);
  figures.values.erase("step");
  return figures;
}

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

const char* name_of(State state) {
  switch (state) {
    case State::kFinished:
      return "finished";
    case State::kStopped:
      return "stopped";
    case State::kFailed:
      break;
  }
  return "failed";
}

}  // namespace etude::log
