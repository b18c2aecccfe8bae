#pragma once

#include <cstdint>

#include "data/music/score.h"

namespace etude::analysis {

/// How many notes have a pitch, drums left out.
std::int64_t pitched_notes(const data::Score& score);

/// The beginning of a piece up to its `notes`-th pitched note, notes that begin together with that one included; drums,
/// pedals and changes of tempo, meter and key up to there. The whole piece where it has no more notes.
data::Score first_notes(const data::Score& score, std::int64_t notes);

}  // namespace etude::analysis
