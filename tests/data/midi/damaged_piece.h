#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tests/data/midi/bytes.h"
#include "tests/support/damage.h"

namespace etude::data::midi {

/// A whole file of which the events of one track are damaged, but no length of a chunk: most damage elsewhere is
/// refused before there is a score.
inline std::string damaged_piece(const std::string& file, testing::Damage& damage) {
  constexpr std::size_t kHeader = 14, kChunkHead = 8;
  std::vector<std::string> tracks;
  for (std::size_t at = kHeader; at + kChunkHead <= file.size();) {
    std::size_t size = 0;
    for (std::size_t i = 4; i < kChunkHead; ++i) size = size << 8 | static_cast<unsigned char>(file[at + i]);
    tracks.push_back(file.substr(at + kChunkHead, size));
    at += kChunkHead + size;
  }
  std::string& one = tracks.at(damage.below(tracks.size()));
  one = damage(one);
  std::string result = file.substr(0, kHeader);
  for (const std::string& events : tracks) result += chunk("MTrk", events);
  return result;
}

}  // namespace etude::data::midi
