#pragma once

#include <vector>

#include "data/music/score.h"

namespace etude::analysis {

/// Of how many notes the passages are that are looked for unless something else is asked.
inline const std::vector<int> kPassageLengths{4, 8, 16, 32};

/// How much of a piece was heard before in the same piece.
struct Repetition {
  int length = 0;         ///< of a passage, notes
  double transposed = 0;  ///< share of the notes in a passage that came before, perhaps at another pitch
  double exact = 0;       ///< the same for passages at the same pitch
};

/// For each length (2 or more), the share of the notes that lie in a passage of so many successive notes which came
/// before: one that had ended when the passage begins, with the same steps of pitch from note to note and the same
/// rhythm. Notes are taken as note_stream() lines them up: on its grid, chords from the lowest note up, without drums.
/// Nan where the piece has fewer than twice as many notes and nothing of that length could repeat.
/// Passages are named, not compared (Karp, Miller and Rosenberg 1972), so n notes take n log(longest) steps.
std::vector<Repetition> repetition(const data::Score& score, const std::vector<int>& lengths = kPassageLengths);

}  // namespace etude::analysis
