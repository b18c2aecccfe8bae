#include "sweep/storage/datetime.h"

#include <cmath>
#include <cstdint>
#include <ctime>
#include <string_view>

#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::sweep {
namespace {

std::string written(double seconds, char between, const char* zone, bool local = false) {
  const auto microseconds = static_cast<std::int64_t>(std::llround(seconds * 1e6));
  std::int64_t whole = microseconds / 1'000'000, rest = microseconds % 1'000'000;
  if (rest < 0) {
    rest += 1'000'000;
    --whole;
  }
  const std::time_t time = whole;
  std::tm parts{};
  local ? localtime_r(&time, &parts) : gmtime_r(&time, &parts);
  return fmt::format("{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}.{:06}{}", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, between, parts.tm_hour, parts.tm_min, parts.tm_sec, rest, zone);
}

/// Days since 1970 of a date in the Gregorian calendar.
std::int64_t days(std::int64_t year, std::int64_t month, std::int64_t day) {
  // Years that begin in March have their odd day last.
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719'468;
}

/// Takes what a text begins with.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool ended() const { return rest_.empty(); }
  bool at(char c) const { return !rest_.empty() && rest_[0] == c; }
  bool take(char c) {
    if (!at(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// That many digits; below 0 where there are none.
  int number(std::size_t digits) {
    if (rest_.size() < digits) return -1;
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return -1;
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }
  double fraction() {
    double value = 0, weight = 0.1;
    for (; !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; weight /= 10) {
      value += weight * (rest_[0] - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }

 private:
  std::string_view rest_;
};

}  // namespace

std::string database_time(double seconds) { return written(seconds, ' ', ""); }
std::string journal_time(double seconds, bool offset) { return written(seconds, 'T', offset ? "+00:00" : "", !offset); }

double read_time(const std::string& text, bool local_without_offset) {
  Reader reader(text);
  const auto between = [](int value, int low, int high) { return value >= low && value <= high; };
  bool good = true;
  const auto part = [&](std::size_t digits, char before, int low, int high) {
    if (before != 0) good = good && (reader.take(before) || (before == ' ' && reader.take('T')));
    const int value = good ? reader.number(digits) : -1;
    good = good && between(value, low, high);
    return value;
  };
  const int year = part(4, 0, 1, 9999), month = part(2, '-', 1, 12), day = part(2, '-', 1, 31);
  const int hour = part(2, ' ', 0, 23), minute = part(2, ':', 0, 59), second = part(2, ':', 0, 60);
  const double fraction = good && reader.take('.') ? reader.fraction() : 0;
  int offset = 0;
  bool zoned = reader.take('Z');
  if (!zoned && (reader.at('+') || reader.at('-'))) {
    zoned = true;
    const int sign = reader.take('+') ? 1 : (reader.take('-'), -1);
    const int hours = reader.number(2);
    reader.take(':');
    const int minutes = reader.number(2);
    good = good && between(hours, 0, 24) && between(minutes, 0, 59);
    offset = sign * (hours * 3600 + minutes * 60);
  }
  if (!good || !reader.ended()) throw Error(fmt::format("'{}' is no point in time", text));
  if (!zoned && local_without_offset) {
    std::tm local{};
    local.tm_year = year - 1900, local.tm_mon = month - 1, local.tm_mday = day;
    local.tm_hour = hour, local.tm_min = minute, local.tm_sec = second;
    local.tm_isdst = -1;
    return static_cast<double>(std::mktime(&local)) + fraction;
  }
  return static_cast<double>(days(year, month, day) * 86'400 + hour * 3600 + minute * 60 + second - offset) + fraction;
}

}  // namespace etude::sweep
