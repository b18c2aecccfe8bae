#pragma once

#include <vector>

#include "render/notation/measures.h"
#include "render/notation/voices.h"

namespace etude::render {

/// A voice as note values and rests, one list for each measure: notes are tied across bar lines and where a value would
/// hide a beat, gaps are filled with rests, beats of three parts become tuplets. A measure in which the voice is silent
/// has one rest, or nothing when `may_be_absent`. Pitches are not yet spelled.
std::vector<std::vector<Element>> write_voice(const std::vector<Chord>& chords, const std::vector<Measure>& measures,
                                              const std::vector<Beat>& beats, bool may_be_absent);

/// Joins the eighths and shorter notes of each beat by beams.
void beam(std::vector<Element>& voice, const Measure& measure);

}  // namespace etude::render
