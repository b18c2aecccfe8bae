#pragma once

#include <string>

#include "data/music/score.h"

namespace etude::data {

/// Hash of the music alone: when its notes begin after the first, how long they last, and how far they lie from the
/// first in pitch. Copies in other files, resolutions, instruments, tempos or keys have one id; drums do not count.
std::string music_id(const Score& score);

}  // namespace etude::data
