#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "analysis/repetition.h"
#include "data/music/score.h"

namespace etude::analysis {

/// What a comparison needs to know of one piece.
struct PieceFigures {
  std::string file;
  double seconds = 0;
  std::int64_t notes = 0;
  std::int64_t bars = 0;                        ///< that begin before the last note ends
  std::vector<double> measures;                 ///< measure_music()
  std::vector<std::vector<double>> histograms;  ///< histograms()
  std::vector<Repetition> repetition;           ///< of kPassageLengths
  std::vector<double> similarity;               ///< of bars 1, 2, … kMostBarsApart bars apart
};
inline constexpr std::size_t kMostBarsApart = 32;

/// Takes the time of a comparison; may be called for several pieces at once.
PieceFigures measure_piece(const std::string& file, const data::Score& score);

/// Generated music beside the reference, as members of music.json (docs/formats.md): {"pieces", "measures",
/// "histograms", "structure"}. `pieces` are the generated ones. What is undefined is null. Either set may be empty.
nlohmann::json compare_music(std::span<const PieceFigures> generated, std::span<const PieceFigures> reference);

/// compare_music()'s measures and histograms as a table for a person.
std::string describe_music(const nlohmann::json& music);

}  // namespace etude::analysis
