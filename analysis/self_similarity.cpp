#include "analysis/self_similarity.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "analysis/bars.h"
#include "analysis/note_stream.h"

namespace etude::analysis {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kMostBars = 1024;

struct PlacedNote {
  int pitch = 0;
  std::int64_t position = 0;
  std::int64_t bar = 0;  ///< from the first one with notes
};

std::vector<PlacedNote> place_notes(const data::Score& score) {
  const Bars bars(score, static_cast<int>(kStepsPerQuarter));
  std::vector<PlacedNote> notes;
  for (const StreamNote& note : note_stream(score)) {
    const Bars::Place place = bars.place_of(note.step);
    notes.push_back({note.pitch, place.position, place.bar});
  }
  if (notes.empty()) return notes;
  // The stream is in the order of time.
  const std::int64_t first = notes.front().bar;
  for (PlacedNote& note : notes) note.bar -= first;
  std::erase_if(notes, [](const PlacedNote& note) { return note.bar >= kMostBars; });
  return notes;
}

double mean_or_nan(double sum, double count) { return count > 0 ? sum / count : kNan; }

}  // namespace

SelfSimilarity::SelfSimilarity(const data::Score& score) {
  std::vector<PlacedNote> notes = place_notes(score);
  if (notes.empty()) return;
  notes_.resize(static_cast<std::size_t>(notes.back().bar) + 1);
  for (const PlacedNote& note : notes) ++notes_[static_cast<std::size_t>(note.bar)];
  // Bars that share a note stand beside one another when notes are sorted by what makes them the same.
  std::sort(notes.begin(), notes.end(), [](const PlacedNote& a, const PlacedNote& b) {
    return std::tuple(a.pitch, a.position, a.bar) < std::tuple(b.pitch, b.position, b.bar);
  });
  values_.resize(bars() * bars());
  for (auto begin = notes.begin(); begin != notes.end();) {
    const auto end = std::find_if(begin, notes.end(), [&](const PlacedNote& note) {
      return note.pitch != begin->pitch || note.position != begin->position;
    });
    for (auto a = begin; a != end; ++a) {
      for (auto b = begin; b != end; ++b)
        values_[static_cast<std::size_t>(a->bar) * bars() + static_cast<std::size_t>(b->bar)] += 1;
    }
    begin = end;
  }
  for (std::size_t a = 0; a < bars(); ++a) {
    for (std::size_t b = 0; b < bars(); ++b) {
      double& value = values_[a * bars() + b];
      if (value > 0) value /= static_cast<double>(notes_[a] + notes_[b]) - value;
    }
  }
}

double SelfSimilarity::mean() const {
  double sum = 0, pairs = 0;
  for (std::size_t a = 0; a < bars(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      if (!sounds(a) || !sounds(b)) continue;
      sum += at(a, b);
      ++pairs;
    }
  }
  return mean_or_nan(sum, pairs);
}

double SelfSimilarity::recurrence() const {
  double sum = 0, count = 0;
  for (std::size_t bar = 1; bar < bars(); ++bar) {
    if (!sounds(bar)) continue;
    double greatest = 0;
    for (std::size_t earlier = 0; earlier < bar; ++earlier) greatest = std::max(greatest, at(bar, earlier));
    sum += greatest;
    ++count;
  }
  return mean_or_nan(sum, count);
}

std::vector<double> SelfSimilarity::by_distance(std::size_t longest) const {
  std::vector<double> means;
  for (std::size_t distance = 1; distance <= longest; ++distance) {
    double sum = 0, pairs = 0;
    for (std::size_t bar = distance; bar < bars(); ++bar) {
      if (!sounds(bar) || !sounds(bar - distance)) continue;
      sum += at(bar, bar - distance);
      ++pairs;
    }
    means.push_back(mean_or_nan(sum, pairs));
  }
  return means;
}

}  // namespace etude::analysis
