#pragma once

#include <string>

#include "render/notation/notation.h"

namespace etude::render {

/// The piece as MusicXML 4.0 (partwise), which MuseScore, Sibelius, Finale, Dorico and LilyPond read. The same notation
/// gives the same bytes.
std::string to_musicxml(const Notation& notation);

}  // namespace etude::render
