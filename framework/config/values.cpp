#include "framework/config/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <yaml-cpp/emitter.h>
#include <yaml-cpp/emittermanip.h>
#include <yaml-cpp/node/convert.h>
#include <yaml-cpp/node/node.h>

namespace etude::config {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool starts_with_sign(std::string_view text) { return !text.empty() && (text[0] == '+' || text[0] == '-'); }

std::string_view take_digits(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  const auto digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

/// A decimal number taken apart: digits × 10^exponent.
struct Decimal {
  bool negative = false;
  std::string digits;  // without leading or trailing zeros; empty for zero
  std::int64_t exponent = 0;
};

std::optional<Decimal> parse_decimal(std::string_view text) {
  Decimal decimal;
  if (starts_with_sign(text)) {
    decimal.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  const std::string_view whole = take_digits(text);
  std::string_view fraction;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = take_digits(text);
  }
  if (whole.empty() && fraction.empty()) return std::nullopt;
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    const bool negative = text.starts_with('-');
    if (starts_with_sign(text)) text.remove_prefix(1);
    const std::string_view digits = take_digits(text);
    if (digits.empty()) return std::nullopt;
    // An exponent beyond 32 bits means a number far beyond any integer, and is kept just as far.
    std::int32_t exponent = std::numeric_limits<std::int32_t>::max();
    std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    decimal.exponent = negative ? -std::int64_t{exponent} : std::int64_t{exponent};
  }
  if (!text.empty()) return std::nullopt;

  decimal.digits = std::string(whole) + std::string(fraction);
  decimal.exponent -= static_cast<std::int64_t>(fraction.size());
  const auto last = decimal.digits.find_last_not_of('0');
  const std::size_t kept = last == std::string::npos ? 0 : last + 1;
  decimal.exponent += static_cast<std::int64_t>(decimal.digits.size() - kept);
  decimal.digits.resize(kept);
  decimal.digits.erase(0, decimal.digits.find_first_not_of('0'));
  return decimal;
}

}  // namespace

Parse parse_integer(std::string_view text, std::int64_t& result) {
  const std::optional<Decimal> decimal = parse_decimal(text);
  if (!decimal) return Parse::kMalformed;
  if (decimal->digits.empty()) {
    result = 0;
    return Parse::kGood;
  }
  if (decimal->exponent < 0) return Parse::kMalformed;
  constexpr std::size_t kMostDigits = 19;  // 2^63 has as many
  if (decimal->exponent + static_cast<std::int64_t>(decimal->digits.size()) > std::int64_t{kMostDigits}) {
    return Parse::kTooLarge;
  }
  const std::string digits =
      (decimal->negative ? "-" : "") + decimal->digits + std::string(static_cast<std::size_t>(decimal->exponent), '0');
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), result);
  return error == std::errc() ? Parse::kGood : Parse::kTooLarge;
}

Parse parse_number(std::string_view text, double& result) {
  std::string_view magnitude = text;
  if (starts_with_sign(magnitude)) magnitude.remove_prefix(1);
  if (magnitude == ".inf" || magnitude == ".Inf" || magnitude == ".INF") {
    result = text[0] == '-' ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    return Parse::kGood;
  }
  if (text == ".nan" || text == ".NaN" || text == ".NAN") {
    result = std::numeric_limits<double>::quiet_NaN();
    return Parse::kGood;
  }
  // from_chars would also take "inf" and "nan", which YAML reads as words.
  if (magnitude.empty() || !(is_digit(magnitude[0]) || magnitude[0] == '.')) return Parse::kMalformed;
  double parsed = 0;
  const auto [end, error] = std::from_chars(magnitude.data(), magnitude.data() + magnitude.size(), parsed);
  if (end != magnitude.data() + magnitude.size() || error == std::errc::invalid_argument) return Parse::kMalformed;
  if (error == std::errc::result_out_of_range) return Parse::kTooLarge;
  result = text[0] == '-' ? -parsed : parsed;
  return Parse::kGood;
}

namespace {

struct Unit {
  char letter;
  double seconds;
};
constexpr std::array kUnits{Unit{'d', 86400}, Unit{'h', 3600}, Unit{'m', 60}, Unit{'s', 1}};

/// "12:00:00" or "1-12:00:00", as job schedulers write it.
bool parse_clock(std::string_view text, double& seconds) {
  const auto take = [&](char end, std::int64_t& field) {
    const std::string_view digits = take_digits(text);
    if (digits.empty() || digits.size() > 9) return false;
    std::from_chars(digits.data(), digits.data() + digits.size(), field);
    if (end == '\0') return text.empty();
    if (!text.starts_with(end)) return false;
    text.remove_prefix(1);
    return true;
  };
  std::int64_t days = 0, hours = 0, minutes = 0, rest = 0;
  if (text.find('-') != std::string_view::npos && !take('-', days)) return false;
  if (!take(':', hours) || !take(':', minutes) || !take('\0', rest) || minutes > 59 || rest > 59) return false;
  seconds = static_cast<double>(((days * 24 + hours) * 60 + minutes) * 60 + rest);
  return true;
}

}  // namespace

Parse parse_duration(std::string_view text, double& seconds) {
  if (parse_clock(text, seconds)) return Parse::kGood;
  double sum = 0, plain = 0;
  if (parse_number(text, plain) == Parse::kGood) {
    if (!std::isfinite(plain) || plain < 0) return Parse::kMalformed;
    seconds = plain;
    return Parse::kGood;
  }
  auto unit = kUnits.begin();
  while (!text.empty()) {
    const std::size_t length = text.find_first_not_of("0123456789.");
    if (length == 0 || length == std::string_view::npos) return Parse::kMalformed;
    double count = 0;
    if (parse_number(text.substr(0, length), count) != Parse::kGood) return Parse::kMalformed;
    unit = std::find_if(unit, kUnits.end(), [&](const Unit& candidate) { return candidate.letter == text[length]; });
    if (unit == kUnits.end()) return Parse::kMalformed;
    sum += count * unit++->seconds;
    text.remove_prefix(length + 1);
  }
  if (unit == kUnits.begin() || !std::isfinite(sum)) return Parse::kMalformed;
  seconds = sum;
  return Parse::kGood;
}

std::string duration_text(double seconds) {
  constexpr double kTooManyForWholeUnits = 1e15;
  if (seconds != std::floor(seconds) || seconds >= kTooManyForWholeUnits) return number_text(seconds);
  if (seconds == 0) return "0s";
  std::string text;
  auto left = static_cast<std::int64_t>(seconds);
  for (const auto& [letter, of_unit] : kUnits) {
    const auto whole = static_cast<std::int64_t>(of_unit);
    if (left >= whole) text += fmt::format("{}{}", left / whole, letter);
    left %= whole;
  }
  return text;
}

std::string number_text(double value) {
  if (std::isnan(value)) return ".nan";
  if (std::isinf(value)) return value < 0 ? "-.inf" : ".inf";
  std::string text = fmt::format("{}", value);
  // YAML 1.1 readers take 1e-05 for a word and 2 for an integer.
  if (text.find('.') == std::string::npos) text.insert(std::min(text.find('e'), text.size()), ".0");
  return text;
}

std::string yaml_text(const std::string& text) {
  constexpr std::string_view kSafeInside = "_./+- ";
  const auto is_safe = [&](char c) {
    return is_letter(c) || is_digit(c) || kSafeInside.find(c) != std::string_view::npos;
  };
  const bool begins_like_a_word = !text.empty() && (is_letter(text[0]) || text[0] == '_' || text[0] == '/' ||
                                                    text.starts_with("./") || text.starts_with("../"));
  bool as_boolean = false;
  const bool plain = begins_like_a_word && text.back() != ' ' && std::all_of(text.begin(), text.end(), is_safe) &&
                     !YAML::convert<bool>::decode(YAML::Node(text), as_boolean) && text != "null" && text != "Null" &&
                     text != "NULL";
  if (plain) return text;
  YAML::Emitter emitter;
  emitter << YAML::DoubleQuoted << text;
  std::string quoted(emitter.c_str(), emitter.size());
  // What the emitter does not escape: a control character that other parsers refuse, and the line breaks of Unicode,
  // which they fold.
  const std::pair<std::string_view, std::string_view> kEscapes[] = {
      {"\x7F", "\\x7f"}, {"\xE2\x80\xA8", "\\u2028"}, {"\xE2\x80\xA9", "\\u2029"}};
  for (const auto& [raw, escape] : kEscapes) {
    for (std::size_t at = 0; (at = quoted.find(raw, at)) != std::string::npos;) quoted.replace(at, raw.size(), escape);
  }
  return quoted;
}

std::string found(const Value& value) {
  switch (value.kind) {
    case Value::Kind::kNull:
      return "nothing";
    case Value::Kind::kList:
      return fmt::format("a list of {} value{}", value.list.size(), value.list.size() == 1 ? "" : "s");
    case Value::Kind::kMap:
      return "a map";
    case Value::Kind::kScalar:
      break;
  }
  constexpr std::size_t kShown = 60;
  std::string shown = value.scalar.size() > kShown ? value.scalar.substr(0, kShown) + "..." : value.scalar;
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return "'" + shown + "'";
}

std::string enumerate(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += names[i];
  }
  return text;
}

}  // namespace etude::config
