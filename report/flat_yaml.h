#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace etude::report {

/// A configuration in YAML as one object of dotted keys: {"train.lr": 0.001, "data.transpose.semitones": [-5, 6]}.
/// Throws Error saying where it is no YAML, or no map.
nlohmann::json flat_yaml(const std::string& yaml, const std::string& name);

}  // namespace etude::report
