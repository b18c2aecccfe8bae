#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "framework/config/options.h"

namespace etude::config {

/// Why a text is not the number that was asked for.
enum class Parse { kGood, kMalformed, kTooLarge };

/// Reads an integer exactly, whatever its notation: 1000, +1000, 1e3 and 1000.0 are the same; 1.5 is none.
Parse parse_integer(std::string_view text, std::int64_t& result);

/// Reads a number as YAML writes it, .inf, -.inf and .nan included.
Parse parse_number(std::string_view text, double& result);

/// Reads seconds: 90, 1.5h, 1h30m, 12:00:00, 1-12:00:00; units are d, h, m and s, each once, the largest first. What is
/// negative or not finite is malformed.
Parse parse_duration(std::string_view text, double& seconds);

/// The same as text that reads back to the same seconds: "1h30m", "0s", "0.5".
std::string duration_text(double seconds);

/// The shortest text that reads back to the same bits, and as a floating-point number in any YAML: 2.0, 1.0e-05, .inf.
std::string number_text(double value);

/// The text as YAML that reads back as the same text: plain where nothing else could be meant, else in double quotes.
std::string yaml_text(const std::string& text);

/// What stands there, for a complaint: 'x', a list of 3 values, a map, nothing.
std::string found(const Value& value);

/// "a", "a or b", "a, b or c".
std::string enumerate(const std::vector<std::string>& names);

}  // namespace etude::config
