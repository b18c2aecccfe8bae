#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "analysis/copying_report.h"
#include "data/shard/pack.h"

namespace etude::analysis {

/// Pieces beside those of a split, and beside all of the training split, from which they may be copied.
struct MusicReport {
  nlohmann::json found;  ///< `pieces`, `reference`, `measures`, `histograms`, `structure`, `copying` of music.json
  std::string words;     ///< the same for a person, several lines
};

/// The split's pieces are taken as their tokens have them, and cut to as many notes as the longest of `pieces` has,
/// since range and repetition grow with length. `threads` measure at once; `progress` is told by one at a time.
/// Throws UsageError when there is nothing to compare.
MusicReport measure_music_beside(const std::vector<NamedScore>& pieces, const data::Pack& pack, data::Split split,
                                 int threads, const CopyingProgress& progress = {});

}  // namespace etude::analysis
