#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "render/notation/measures.h"
#include "render/notation/placing.h"

namespace etude::render {

/// Notes of one voice that begin and end together.
struct Chord {
  std::int64_t begin = 0;  ///< units
  std::int64_t end = 0;
  std::vector<int> pitches;  ///< lowest first
  bool staccato = false;
};

/// A staff's notes in one voice, or in an upper and a lower where holding and moving notes meet. Within a voice nothing
/// overlaps: what a voice cannot hold on to ends with its next chord. When `performed`, small gaps are closed and short
/// notes become staccato, as an editor would write them.
std::array<std::vector<Chord>, 2> voices_of(const std::vector<PlacedNote>& notes, const std::vector<Measure>& measures,
                                            const std::vector<Beat>& beats, bool performed);

}  // namespace etude::render
