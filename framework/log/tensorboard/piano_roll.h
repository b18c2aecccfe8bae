#pragma once

#include "framework/log/listener.h"
#include "framework/log/tensorboard/canvas.h"

namespace etude::tensorboard {

/// Time goes to the right, a thin line every second; pitch goes upwards, with the Cs named. The louder a note, the
/// darker. Only the keys that the piece needs are drawn, and of a long piece its first minutes.
Canvas piano_roll(const log::PlayedPiece& piece);

}  // namespace etude::tensorboard
