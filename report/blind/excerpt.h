#pragma once

#include "data/music/score.h"

namespace etude::blind {

/// From the first note on, `seconds` long: notes that sound on are cut there. Keeps what is heard (notes, velocities,
/// tempo, pedal, instruments) and leaves out what is only written: names, title, composer, keys and meters.
data::Score excerpt(const data::Score& score, double seconds);

/// Seconds from the first note's beginning to the last one's end, to a thousandth; 0 for a score
/// without notes.
double sounding_seconds(const data::Score& score);

}  // namespace etude::blind
