#pragma once

#include <string>

#include "data/music/score.h"
#include "render/audio.h"

namespace etude::blind {

/// Frames a second of what listeners hear: enough for the partials of a piano up to 11 kHz, and half the size.
inline constexpr int kRecordingRate = 22'050;

/// A score as FLAC, mono, exactly so many seconds long, the last of them fading out: neither what dies away nor the
/// number of samples tells one piece from another.
std::string recording(const render::Synthesizer& synthesizer, const data::Score& score, double seconds);

}  // namespace etude::blind
