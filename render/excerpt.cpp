#include "render/excerpt.h"

#include <algorithm>
#include <limits>

#include "render/notation/measures.h"

namespace etude::render {
namespace {

std::int64_t end_of_bars(const data::Score& score, int bars, std::int64_t upbeat) {
  const auto wanted = static_cast<std::size_t>(bars) + 1;  // and perhaps an upbeat
  const auto end = static_cast<std::int64_t>(units_at(score, data::end_of(score)));
  const std::vector<Measure> measures = lay_out(score, end, upbeat, wanted);
  const std::size_t count = static_cast<std::size_t>(bars) + (measures.front().incomplete ? 1 : 0);
  if (measures.size() < count) return std::numeric_limits<std::int64_t>::max();
  const Measure& last = measures[count - 1];
  return (last.begin + last.length) * score.ticks_per_quarter / kUnitsPerQuarter;
}

template <typename Lasting>
void shorten(std::vector<Lasting>& all, std::int64_t end) {
  std::erase_if(all, [&](const Lasting& one) { return one.start >= end; });
  for (Lasting& one : all) one.duration = std::min(one.duration, end - one.start);
}

}  // namespace

data::Score take(const data::Score& score, const Excerpt& excerpt, std::int64_t upbeat) {
  std::int64_t end = std::numeric_limits<std::int64_t>::max();
  if (excerpt.bars > 0) end = std::min(end, end_of_bars(score, excerpt.bars, upbeat));
  if (excerpt.seconds > 0) end = std::min(end, data::tick_at(score, excerpt.seconds));
  data::Score part = score;
  for (data::Track& track : part.tracks) {
    shorten(track.notes, end);
    shorten(track.pedals, end);
  }
  return part;
}

}  // namespace etude::render
