#include "analysis/repetition.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <unordered_map>

#include "analysis/note_stream.h"

namespace etude::analysis {
namespace {

/// Names for stretches of the piece, one for each place where such a stretch begins: two are equal exactly when their
/// names are.
using Names = std::vector<std::uint32_t>;

/// One name for each pair of `first[i]` and `second[i + shift]`.
Names name_pairs(const Names& first, const Names& second, std::size_t shift) {
  std::unordered_map<std::uint64_t, std::uint32_t> known;
  known.reserve(first.size());
  Names names;
  names.reserve(first.size());
  for (std::size_t i = 0; i < first.size() && i + shift < second.size(); ++i) {
    const std::uint64_t pair = (std::uint64_t{first[i]} << 32) | second[i + shift];
    names.push_back(known.try_emplace(pair, static_cast<std::uint32_t>(known.size())).first->second);
  }
  return names;
}

/// What leads from each note to the next: steps of pitch and of the grid.
Names name_steps(const std::vector<StreamNote>& stream) {
  Names intervals, ways;
  for (std::size_t i = 1; i < stream.size(); ++i) {
    constexpr std::int64_t kLongest = std::numeric_limits<std::uint32_t>::max();
    intervals.push_back(static_cast<std::uint32_t>(stream[i].pitch - stream[i - 1].pitch + 128));
    ways.push_back(static_cast<std::uint32_t>(std::min(kLongest, stream[i].step - stream[i - 1].step)));
  }
  return name_pairs(intervals, ways, 0);
}

/// Names of stretches of any number of steps, made from those of 1, 2, 4, 8, … steps, which are kept.
class Stretches {
 public:
  explicit Stretches(Names steps) : by_power_{std::move(steps)} {}

  /// For each place at which `steps` (1 or more) steps begin.
  Names of(std::size_t steps) {
    std::size_t power = 0, longest = 1;
    for (; 2 * longest <= steps; longest *= 2, ++power) {
      if (power + 1 == by_power_.size()) by_power_.push_back(name_pairs(by_power_[power], by_power_[power], longest));
    }
    // Two that overlap cover what lies between two powers.
    return name_pairs(by_power_[power], by_power_[power], steps - longest);
  }

 private:
  std::vector<Names> by_power_;
};

/// Share of `notes` notes that lie in a passage whose name is that of one which had ended before.
double share_repeated(const Names& passages, std::size_t length, std::size_t notes) {
  std::unordered_map<std::uint32_t, std::size_t> first;
  first.reserve(passages.size());
  std::size_t repeated = 0, counted_to = 0;
  for (std::size_t begin = 0; begin < passages.size(); ++begin) {
    const std::size_t earlier = first.try_emplace(passages[begin], begin).first->second;
    if (earlier + length > begin) continue;
    repeated += begin + length - std::max(begin, counted_to);
    counted_to = begin + length;
  }
  return static_cast<double>(repeated) / static_cast<double>(notes);
}

}  // namespace

std::vector<Repetition> repetition(const data::Score& score, const std::vector<int>& lengths) {
  const std::vector<StreamNote> stream = note_stream(score);
  Names pitches;
  for (const StreamNote& note : stream) pitches.push_back(static_cast<std::uint32_t>(note.pitch));
  Stretches stretches(name_steps(stream));
  std::vector<Repetition> found;
  for (const int length : lengths) {
    if (length < 2) throw std::invalid_argument("repetition: a passage has two notes or more");
    const auto size = static_cast<std::size_t>(length);
    constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
    found.push_back({length, kNan, kNan});
    if (stream.size() < 2 * size) continue;
    const Names passages = stretches.of(size - 1);
    found.back().transposed = share_repeated(passages, size, stream.size());
    // The same steps from the same first pitch are the same pitches.
    found.back().exact = share_repeated(name_pairs(passages, pitches, 0), size, stream.size());
  }
  return found;
}

}  // namespace etude::analysis
