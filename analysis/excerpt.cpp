#include "analysis/excerpt.h"

#include <algorithm>
#include <vector>

namespace etude::analysis {

std::int64_t pitched_notes(const data::Score& score) {
  std::int64_t notes = 0;
  for (const data::Track& track : score.tracks) notes += track.drums ? 0 : std::ssize(track.notes);
  return notes;
}

data::Score first_notes(const data::Score& score, std::int64_t notes) {
  std::vector<std::int64_t> starts;
  for (const data::Track& track : score.tracks) {
    if (track.drums) continue;
    for (const data::Note& note : track.notes) starts.push_back(note.start);
  }
  if (notes <= 0 || notes >= std::ssize(starts)) return score;
  const auto last = starts.begin() + (notes - 1);
  std::nth_element(starts.begin(), last, starts.end());
  const std::int64_t end = *last;

  data::Score cut = score;
  for (data::Track& track : cut.tracks) {
    std::erase_if(track.notes, [&](const data::Note& note) { return note.start > end; });
    std::erase_if(track.pedals, [&](const data::Pedal& pedal) { return pedal.start > end; });
  }
  const auto later = [&](const auto& change) { return change.time > end; };
  std::erase_if(cut.tempos, later);
  std::erase_if(cut.time_signatures, later);
  std::erase_if(cut.key_signatures, later);
  return cut;
}

}  // namespace etude::analysis
