#pragma once

#include <string>
#include <vector>

#include "data/music/score.h"

namespace etude::analysis {

/// What can be counted in a piece.
struct HistogramKind {
  std::string name;               ///< as in music.json
  std::string words;              ///< for a musician
  std::vector<std::string> bins;  ///< what each class is called
};

/// Pitches, pitch classes, time from onset to onset and durations. The last two are sorted into note values: a time
/// belongs to the value nearest to it in ratio. Drums are left out.
const std::vector<HistogramKind>& histogram_kinds();

/// Counts of one piece, for each kind one for each of its bins.
std::vector<std::vector<double>> histograms(const data::Score& score);

/// The shares in a set: the mean of the pieces' shares, so that a long piece counts no more than a short one. Pieces
/// without anything to count are left out; all nan where there is none with something.
std::vector<double> mean_shares(const std::vector<std::vector<double>>& counts_of_pieces);

}  // namespace etude::analysis
