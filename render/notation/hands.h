#pragma once

#include <cstdint>
#include <vector>

#include "data/music/score.h"
#include "render/notation/placing.h"

namespace etude::render {

/// Which notes the left hand plays. Two tracks that are hands already (their names say so, or one lies a fourth or more
/// below the other) keep their notes; else the division is searched for that asks least of two hands: spans up to an
/// octave, small movements, no crossing.
std::vector<bool> left_hand(const data::Score& score, const std::vector<PlacedNote>& notes);

/// Whether it is a single melody, for which one staff is enough: one track, never two notes at once.
bool is_melody(const data::Score& score, const std::vector<PlacedNote>& notes);

}  // namespace etude::render
