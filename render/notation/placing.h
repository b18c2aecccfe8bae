#pragma once

#include <cstdint>
#include <vector>

#include "render/notation/measures.h"

namespace etude::render {

/// A note on the grid.
struct PlacedNote {
  std::int64_t begin = 0;  ///< units
  std::int64_t end = 0;    ///< after begin
  int pitch = 60;
  int track = 0;
};

struct Placement {
  std::vector<PlacedNote> notes;  ///< by begin, then pitch; no two of one pitch at once
  /// Whether notes end where a player lets go rather than where they were written to end. Then ends may be moved to
  /// what is easy to read.
  bool performed = false;
};

/// Puts the notes of all pitched tracks on a grid. For each beat the step is chosen among 16ths, triplets, 32nds and
/// finer ones: the root mean square distance of the onsets, and something for each step that is harder to read. Music
/// that was played without regard to the beat gets nothing finer than 16ths and triplets.
Placement place(const data::Score& score, std::vector<Beat>& beats);

}  // namespace etude::render
