#pragma once

#include <string>
#include <vector>

#include "data/music/score.h"

namespace etude::analysis {

/// One figure of a piece. docs/measurements.md has them in a table.
struct MusicMeasure {
  std::string name;   ///< as in music.json
  std::string words;  ///< what it says, for a musician
  std::string unit;
  std::string source;  ///< where it comes from
};

/// All figures, in the order in which they are shown.
const std::vector<MusicMeasure>& music_measures();

/// The figures of a piece, in the order of music_measures(); nan where a figure means nothing for the piece (no notes,
/// a single one, a single bar). Any score is taken. May be called from several threads at once.
std::vector<double> measure_music(const data::Score& score);

}  // namespace etude::analysis
