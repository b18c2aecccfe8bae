#pragma once

#include <vector>

#include "data/abc/tune.h"
#include "data/music/score.h"

namespace etude::data::abc {

/// The order in which bars are played: repeats and numbered endings taken.
std::vector<std::size_t> playing_order(const std::vector<Bar>& bars);

/// The sounding music: repeats played, tied notes joined, one track per voice. The ticks per quarter are the least
/// multiple of 480 in which every time is whole.
Score sounding(const WrittenTune& tune);

}  // namespace etude::data::abc
