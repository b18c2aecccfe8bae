#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "data/music/score.h"

namespace etude::analysis {

/// How alike any two bars of a piece are: the size of the intersection of their notes over that of their union (Yu et
/// al., "Museformer", NeurIPS 2022, on the matrix that Foote, "Visualizing music and audio using
/// self-similarity", 1999, made known). Two notes are the same if pitch and place in the bar are; the place is on the
/// grid of note_stream(). Museformer asks for the same duration too, which music that is played never has.
/// From the first bar with notes on; of longer pieces the first 1,024 bars.
class SelfSimilarity {
 public:
  explicit SelfSimilarity(const data::Score& score);

  /// Bars from the first to the last with notes.
  std::size_t bars() const { return notes_.size(); }
  /// 0 for no note in common (or a bar without notes) to 1 for the same notes.
  double at(std::size_t bar, std::size_t other) const { return values_[bar * bars() + other]; }
  bool sounds(std::size_t bar) const { return notes_[bar] > 0; }

  /// Mean over all pairs of bars with notes; nan for fewer than two.
  double mean() const;
  /// How much of a bar was there in one bar before: mean over the bars with notes, except the first, of the greatest
  /// likeness to an earlier one. Nan for fewer than two.
  double recurrence() const;
  /// Mean over the pairs of bars with notes that lie 1, 2, …, `longest` bars apart; nan where there are none. Phrases
  /// that come again show as peaks. Museformer's L_t.
  std::vector<double> by_distance(std::size_t longest) const;

 private:
  std::vector<std::int64_t> notes_;  ///< of each bar
  std::vector<double> values_;       ///< [bars, bars]
};

}  // namespace etude::analysis
