#pragma once

#include <cstddef>

#include "data/music/score.h"
#include "report/run.h"

namespace etude::report {

/// The first pieces that a run has made (RUN/generated/*.mid, in the order of music.json where that names them), as the
/// report's model has them: notes as [start, duration, pitch, velocity] in seconds, and where bars begin. A file that
/// cannot be read is passed over with a mark. Pieces of more than a few thousand notes are cut there.
/// None where music.json is about pieces from elsewhere.
Json generated_pieces(Run& run, std::size_t most);

/// The folder of the pieces that music.json is about, where that is not the run's own (`etude evaluate --music`): the
/// run need not have made them. Empty where it has.
std::string music_from_elsewhere(const Run& run);

/// The start of each bar up to the last note's end, in seconds.
std::vector<double> bars_of(const data::Score& score);

}  // namespace etude::report
