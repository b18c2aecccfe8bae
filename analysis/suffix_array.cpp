#include "analysis/suffix_array.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "framework/config/error.h"

namespace etude::analysis {
namespace {

using Places = std::vector<std::int32_t>;

constexpr std::int32_t kNone = -1;

std::size_t at(std::int32_t place) { return static_cast<std::size_t>(place); }

/// One level of the recursion. A place "rises" (type S in the paper) when the suffix from there on sorts before the one
/// that begins a place later, and "falls" (type L) otherwise; a valley (LMS) is a place that rises after one that
/// falls.
class Sorter {
 public:
  Sorter(std::span<const std::int32_t> text, std::int32_t alphabet)
      : text_(text), size_(static_cast<std::int32_t>(text.size())), rises_(text.size(), false) {
    for (std::int32_t i = size_ - 2; i >= 0; --i) {
      rises_[at(i)] = text[at(i)] == text[at(i + 1)] ? rises_[at(i + 1)] : text[at(i)] < text[at(i + 1)];
    }
    first_.assign(at(alphabet) + 1, 0);
    for (const std::int32_t symbol : text) ++first_[at(symbol) + 1];
    for (std::size_t c = 1; c < first_.size(); ++c) first_[c] += first_[c - 1];
  }

  Places sort() {
    if (size_ == 0) return {};
    Places valleys;
    for (std::int32_t i = 1; i < size_; ++i) {
      if (is_valley(i)) valleys.push_back(i);
    }
    Places order = induce(valleys);
    if (!valleys.empty()) {
      sort_valleys(valleys, order);
      order = induce(valleys);
    }
    return order;
  }

 private:
  bool is_valley(std::int32_t i) const { return i > 0 && rises_[at(i)] && !rises_[at(i - 1)]; }

  /// All suffixes in order, when `valleys` are; else ordered by what lies between a valley and the next one.
  Places induce(const Places& valleys) const {
    Places order(text_.size(), kNone);
    Places next(first_.begin() + 1, first_.end());  // a bucket's end: rising suffixes are its last
    for (auto valley = valleys.rbegin(); valley != valleys.rend(); ++valley) {
      order[at(--next[at(text_[at(*valley)])])] = *valley;
    }
    next.assign(first_.begin(), first_.end() - 1);
    const auto put_falling = [&](std::int32_t i) { order[at(next[at(text_[at(i)])]++)] = i; };
    put_falling(size_ - 1);
    for (std::size_t rank = 0; rank < order.size(); ++rank) {
      const std::int32_t i = order[rank];
      if (i > 0 && !rises_[at(i - 1)]) put_falling(i - 1);
    }
    next.assign(first_.begin() + 1, first_.end());
    for (std::size_t rank = order.size(); rank-- > 0;) {
      const std::int32_t i = order[rank];
      if (i > 0 && rises_[at(i - 1)]) order[at(--next[at(text_[at(i - 1)])])] = i - 1;
    }
    return order;
  }

  /// Puts `valleys` into the order of their suffixes. In `order` they are sorted as far as the next valley; where
  /// several are equal so far, the text of such stretches, each named by a number, is sorted in their stead.
  void sort_valleys(Places& valleys, const Places& order) const {
    Places index(text_.size(), kNone);  // which valley a place is, in the order of the text
    for (std::size_t i = 0; i < valleys.size(); ++i) index[at(valleys[i])] = static_cast<std::int32_t>(i);
    Places names(valleys.size());
    std::int32_t name = kNone, previous = kNone;
    for (const std::int32_t place : order) {
      const std::int32_t valley = index[at(place)];
      if (valley == kNone) continue;
      if (previous == kNone || !same_stretch(valleys, previous, valley)) ++name;
      names[at(valley)] = name;
      previous = valley;
    }
    index = Places();  // not to be held through the recursion
    const Places in_order = Sorter(names, name + 1).sort();
    Places sorted;
    sorted.reserve(valleys.size());
    for (const std::int32_t valley : in_order) sorted.push_back(valleys[at(valley)]);
    valleys = std::move(sorted);
  }

  bool same_stretch(const Places& valleys, std::int32_t a, std::int32_t b) const {
    const auto end = [&](std::int32_t valley) {
      return at(valley) + 1 < valleys.size() ? valleys[at(valley) + 1] + 1 : size_;
    };
    const std::int32_t begin_a = valleys[at(a)], begin_b = valleys[at(b)];
    const std::int32_t length = end(a) - begin_a;
    // The last stretch runs into the text's end, which no other does.
    if (end(b) - begin_b != length || at(a) + 1 == valleys.size() || at(b) + 1 == valleys.size()) return false;
    return std::equal(text_.begin() + begin_a, text_.begin() + begin_a + length, text_.begin() + begin_b);
  }

  std::span<const std::int32_t> text_;
  std::int32_t size_;
  std::vector<bool> rises_;
  Places first_;  ///< where each symbol's bucket begins; one more than there are symbols
};

}  // namespace

std::vector<std::int32_t> suffix_array(std::span<const std::int32_t> text, std::int32_t alphabet) {
  if (text.size() > std::numeric_limits<std::int32_t>::max() - 1) {
    throw Error(fmt::format("an index of {} notes is more than can be searched for copies (2^31); give it fewer pieces",
                            text.size()));
  }
  return Sorter(text, alphabet).sort();
}

}  // namespace etude::analysis
