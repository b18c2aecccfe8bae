#pragma once

#include <vector>

#include "render/notation/placing.h"

namespace etude::render {

/// The key of a piece that does not name it: the profile of Krumhansl and Kessler (1982) that correlates best with how
/// long each pitch class sounds (Krumhansl 1990, chapter 4). C major without notes.
data::KeySignature estimate_key(const std::vector<PlacedNote>& notes);

/// Gives each measure its key: the score's key signatures, or the estimate where it has none.
void set_keys(std::vector<Measure>& measures, const data::Score& score, const std::vector<PlacedNote>& notes);

/// The letter and sign by which a key writes a pitch: those nearest to it on the line of fifths, from ♭3 to ♯5 of
/// major, ♭2 to ♯4 of minor. `rises` and `falls` say that the voice goes on by a semitone: then a note that is foreign
/// to the key is written as a raised or lowered degree.
Spelling spell(int pitch, const data::KeySignature& key, bool rises, bool falls);

/// Spells all notes of the piece and sets accidentals where a reader needs one.
void spell_all(std::vector<Measure>& measures);

}  // namespace etude::render
