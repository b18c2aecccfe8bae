#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "data/midi/midi.h"

namespace etude::data::midi {

/// Bytes written as numbers.
inline std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out.push_back(static_cast<char>(value));
  return out;
}

inline std::string chunk(std::string_view kind, std::string_view content) {
  const auto size = static_cast<std::uint32_t>(content.size());
  std::string out(kind);
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(size >> shift & 0xFF));
  return out.append(content);
}

/// A header, 14 bytes.
inline std::string header(int format, int tracks, int division = 96) {
  return chunk("MThd", bytes({0, format, 0, tracks, division >> 8, division & 0xFF}));
}

/// A track of these events, with its end.
inline std::string track(std::string_view events) {
  return chunk("MTrk", std::string(events) + bytes({0, 0xFF, 0x2F, 0}));
}

inline Score parse_text(const std::string& file, const std::string& name = "test.mid") {
  return parse(std::as_bytes(std::span(file)), name);
}

}  // namespace etude::data::midi
