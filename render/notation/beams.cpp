#include <algorithm>
#include <bit>

#include "render/notation/values.h"

namespace etude::render {
namespace {

/// How many beams a value has: an eighth one, a 64th four.
std::size_t beams_of(const Element& element) {
  return element.type >= 8 ? static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(element.type))) - 2 : 0;
}

/// Joins elements that stand side by side; a beam that a neighbour does not share is a hook.
void join(std::vector<Element*>& group) {
  if (group.size() < 2) return;
  for (std::size_t i = 0; i < group.size(); ++i) {
    Element& element = *group[i];
    const std::size_t before = i > 0 ? beams_of(*group[i - 1]) : 0;
    const std::size_t after = i + 1 < group.size() ? beams_of(*group[i + 1]) : 0;
    for (std::size_t level = 0; level < beams_of(element); ++level) {
      const bool from = level < before, on = level < after;
      element.beams.push_back(from && on ? Mark::kInside : from ? Mark::kEnd : on ? Mark::kBegin : Mark::kNone);
    }
    element.hook_back = i > 0;
  }
}

}  // namespace

void beam(std::vector<Element>& voice, const Measure& measure) {
  const Pulse pulse = pulse_of(measure.meter);
  const int beat = std::max(pulse.beat, kUnitsPerQuarter);
  const int shift = measure.incomplete && measure.begin == 0 ? (beat - measure.length % beat) % beat : 0;
  std::vector<Element*> group;
  int group_beat = -1;
  const auto close = [&] {
    join(group);
    group.clear();
  };
  for (Element& element : voice) {
    const int own_beat = (element.offset + shift) / beat;
    if (own_beat != group_beat || element.notes.empty() || beams_of(element) == 0) close();
    group_beat = own_beat;
    if (!element.notes.empty() && beams_of(element) > 0) group.push_back(&element);
  }
  close();
}

}  // namespace etude::render
