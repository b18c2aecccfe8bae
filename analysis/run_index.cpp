#include "analysis/run_index.h"

#include <algorithm>
#include <array>

#include "analysis/suffix_array.h"
#include "data/tokenizer/vocabulary.h"

namespace etude::analysis {
namespace {

constexpr std::int32_t kBegins = 0;  ///< the symbol of a stream's first note
constexpr std::int32_t kIntervals = 2 * data::kPitches;
/// How the first onset after a passage's beginning may follow where the same passage stands elsewhere.
constexpr std::array kAnyStep{Follows::kFirst, Follows::kSooner, Follows::kEvenly, Follows::kLater};

std::size_t at(std::int64_t place) { return static_cast<std::size_t>(place); }

}  // namespace

/// A stream as symbols, of which one, the first step from onset to onset, may be another than the stream's own.
class RunIndex::Query {
 public:
  Query(const RunIndex& index, const std::vector<StreamNote>& stream)
      : index_(index), stream_(stream), follows_(rhythm(stream)), symbols_(stream.size(), kBegins) {
    for (std::size_t i = 1; i < stream.size(); ++i) symbols_[i] = symbol(i, follows_[i]);
    first_step_.assign(stream.size() + 1, static_cast<std::int64_t>(stream.size()));
    for (std::size_t i = stream.size(); i-- > 0;) {
      first_step_[i] = follows_[i] == Follows::kTogether ? first_step_[i + 1] : static_cast<std::int64_t>(i);
    }
  }

  /// Calls `visit` for each way to spell the passage of `notes` notes from `begin` on; its first symbol is of the note
  /// after that.
  template <typename Visit>
  void for_each_reading(std::int64_t begin, std::int64_t notes, Visit visit) {
    begin_ = begin + 1;
    end_ = begin + notes;
    changed_ = first_step_[at(begin_)];
    if (changed_ >= end_) {
      visit();
      return;
    }
    for (const Follows follows : kAnyStep) {
      instead_ = symbol(at(changed_), follows);
      visit();
    }
  }

  std::int64_t size() const { return end_ - begin_; }
  std::int32_t operator[](std::int64_t i) const { return begin_ + i == changed_ ? instead_ : symbols_[at(begin_ + i)]; }

 private:
  std::int32_t symbol(std::size_t i, Follows follows) const {
    return index_.symbol(stream_[i - 1].pitch, stream_[i].pitch, follows);
  }

  const RunIndex& index_;
  const std::vector<StreamNote>& stream_;
  std::vector<Follows> follows_;
  std::vector<std::int32_t> symbols_;
  std::vector<std::int64_t> first_step_;  ///< from each note on, the next that is not struck with the one before
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
  std::int64_t changed_ = 0;
  std::int32_t instead_ = kBegins;
};

RunIndex::RunIndex(Pitches kind, std::span<const std::uint8_t> pitches, std::span<const Follows> follows,
                   std::span<const std::int64_t> begins)
    : kind_(kind), text_(pitches.size(), kBegins) {
  for (std::size_t i = 1; i < pitches.size(); ++i) text_[i] = symbol(pitches[i - 1], pitches[i], follows[i]);
  for (const std::int64_t begin : begins) {
    if (at(begin) < text_.size()) text_[at(begin)] = kBegins;
  }
  const std::int32_t alphabet = symbol(data::kPitches - 1, data::kPitches - 1, Follows::kLater) + kFollows * kIntervals;
  sorted_ = suffix_array(text_, alphabet);
}

std::int32_t RunIndex::symbol(int pitch_before, int pitch, Follows follows) const {
  const std::int32_t moved =
      1 + (pitch - pitch_before + data::kPitches) * kFollows + static_cast<std::int32_t>(follows);
  return kind_ == Pitches::kMoved ? moved : moved + pitch * kIntervals * kFollows;
}

std::vector<std::int64_t> RunIndex::longest_from(const std::vector<StreamNote>& stream) const {
  Query query(*this, stream);
  const auto text_size = std::ssize(text_);
  // The length of the longest prefix of the query that stands in the text, by binary search among its suffixes. What
  // both bounds share with the query need not be looked at again (Manber and Myers 1993).
  const auto search = [&] {
    std::int64_t low = -1, high = text_size, shared_low = 0, shared_high = 0;
    while (high - low > 1) {
      const std::int64_t middle = low + (high - low) / 2;
      const std::int64_t place = sorted_[at(middle)];
      std::int64_t shared = std::min(shared_low, shared_high);
      const std::int64_t most = std::min(query.size(), text_size - place);
      while (shared < most && text_[at(place + shared)] == query[shared]) ++shared;
      if (shared == query.size()) return shared;
      const bool before = place + shared == text_size || text_[at(place + shared)] < query[shared];
      (before ? low : high) = middle;
      (before ? shared_low : shared_high) = shared;
    }
    return std::max(shared_low, shared_high);
  };

  std::vector<std::int64_t> notes(stream.size(), 0);
  for (std::int64_t i = 0; i + 1 < std::ssize(stream); ++i) {
    std::int64_t longest = 0;
    query.for_each_reading(i, std::ssize(stream) - i, [&] { longest = std::max(longest, search()); });
    notes[at(i)] = longest > 0 ? longest + 1 : 0;
  }
  return notes;
}

void RunIndex::find(const std::vector<StreamNote>& stream, std::int64_t begin, std::int64_t notes,
                    const std::function<void(std::int64_t)>& visit) const {
  Query query(*this, stream);
  query.for_each_reading(begin, notes, [&] {
    // Less than 0, 0, more than 0: how the suffix sorts against the passage.
    const auto compare = [&](std::int32_t place) {
      for (std::int64_t i = 0; i < query.size(); ++i) {
        if (place + i == std::ssize(text_)) return -1;
        if (const std::int32_t difference = text_[at(place + i)] - query[i]; difference != 0) return difference;
      }
      return 0;
    };
    const auto low =
        std::partition_point(sorted_.begin(), sorted_.end(), [&](std::int32_t place) { return compare(place) < 0; });
    const auto high = std::partition_point(low, sorted_.end(), [&](std::int32_t place) { return compare(place) == 0; });
    for (auto place = low; place != high; ++place) visit(*place - 1);
  });
}

}  // namespace etude::analysis
