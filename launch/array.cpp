#include "launch/array.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include <fmt/format.h>

#include "framework/config/error.h"
#include "framework/config/values.h"

namespace etude::launch {
namespace {

constexpr std::size_t kMostRuns = 1000;

[[noreturn]] void refuse(const std::string& array, const std::string& why) {
  throw UsageError(fmt::format("--array {}: {}; write KEY=1..5 or KEY=VALUE,VALUE", array, why));
}

std::vector<std::string> between_commas(const std::string& text) {
  std::vector<std::string> values(1);
  int depth = 0;
  for (const char c : text) {
    depth += c == '[' || c == '{' ? 1 : c == ']' || c == '}' ? -1 : 0;
    if (c == ',' && depth == 0) {
      values.emplace_back();
    } else {
      values.back() += c;
    }
  }
  return values;
}

std::vector<std::string> values_of(const std::string& array, const std::string& text) {
  const std::size_t dots = text.find("..");
  std::int64_t first = 0, last = 0;
  if (dots == std::string::npos || config::parse_integer(text.substr(0, dots), first) != config::Parse::kGood ||
      config::parse_integer(text.substr(dots + 2), last) != config::Parse::kGood) {
    return between_commas(text);
  }
  if (last < first || static_cast<std::uint64_t>(last - first) >= kMostRuns) {
    refuse(array, fmt::format("'{}' is no range of 1 to {} values", text, kMostRuns));
  }
  std::vector<std::string> values;
  for (std::int64_t value = first; value <= last; ++value) values.push_back(fmt::format("{}", value));
  return values;
}

/// As part of the name of a folder.
std::string plain(const std::string& value) {
  std::string fit;
  for (const char c : value) {
    const bool good = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' || c == '-';
    if (good || (!fit.empty() && fit.back() != '_')) fit += good ? c : '_';
  }
  return fit.empty() ? "_" : fit;
}

}  // namespace

std::vector<Member> members(const std::vector<std::string>& arrays) {
  std::vector<Member> all{{}};
  for (const std::string& array : arrays) {
    const std::size_t equals = array.find('=');
    if (equals == std::string::npos || equals == 0) refuse(array, "there is no '='");
    const std::string key = array.substr(0, equals);
    const std::string short_key = key.substr(key.rfind('.') + 1);
    const std::vector<std::string> values = values_of(array, array.substr(equals + 1));
    if (all.size() * values.size() > kMostRuns) refuse(array, fmt::format("that makes more than {} runs", kMostRuns));
    std::vector<Member> combined;
    for (const Member& member : all) {
      for (const std::string& value : values) {
        if (value.empty()) refuse(array, "a value is empty");
        Member& next = combined.emplace_back(member);
        next.assignments.push_back(key + "=" + value);
        next.suffix += fmt::format("-{}-{}", short_key, plain(value));
      }
    }
    all = std::move(combined);
  }
  std::vector<std::string> suffixes;
  for (const Member& member : all) suffixes.push_back(member.suffix);
  std::sort(suffixes.begin(), suffixes.end());
  const auto twice = std::adjacent_find(suffixes.begin(), suffixes.end());
  if (twice != suffixes.end()) {
    throw UsageError(fmt::format("--array: two runs would both be called '…{}'", *twice));
  }
  return all;
}

}  // namespace etude::launch
