#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "data/music/score.h"
#include "report/blind/sources.h"

namespace etude::blind {

/// Eight notes a bar for so many seconds, at 120 quarters a minute, with everything written into it that tells where it
/// is from. `character` makes it another piece.
inline data::Score tell_tale(const std::string& teller, double seconds, int character) {
  data::Score score;
  score.title = "title of " + teller;
  score.composer = "composer of " + teller;
  score.tempos = {{0, 120}};
  score.key_signatures = {{0, 3, false}};
  data::Track track;
  track.name = "track of " + teller;
  for (std::int64_t i = 0; i * 120 < static_cast<std::int64_t>(seconds * 960); ++i) {
    track.notes.push_back(
        {i * 120 + 960, 120, 40 + static_cast<int>((i * (5 + character)) % 40), 30 + static_cast<int>((i * 7) % 90)});
  }
  score.tracks.push_back(std::move(track));
  return score;
}

inline Source source_of(const std::string& name, std::size_t pieces, double seconds, int character) {
  Source source;
  source.model = {name, "runs/" + name, false};
  for (std::size_t i = 0; i < pieces; ++i) {
    source.pieces.push_back(
        {fmt::format("generated/{}-{}.mid", name, i), tell_tale(name, seconds, character + static_cast<int>(i))});
  }
  return source;
}

}  // namespace etude::blind
