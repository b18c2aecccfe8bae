#include "analysis/ngram.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "data/loader/random.h"

namespace etude::analysis {
namespace {

constexpr std::size_t kFirstSlots = 1 << 12;

/// Never 0, since token ids are raised by one.
std::uint64_t key_of(std::uint32_t parent, data::TokenId token) {
  return (std::uint64_t{parent} << 32) | static_cast<std::uint64_t>(token + 1);
}

/// Which discount a count gets.
std::size_t class_of(std::uint32_t count) { return std::min<std::size_t>(count, 3) - 1; }

/// Chen and Goodman's, from how many n-grams have a count of 1, 2, 3 and 4.
std::array<double, 3> discounts_from(const std::array<double, 4>& n) {
  constexpr std::array kFallback{0.5, 1.0, 1.5};
  if (std::ranges::find(n, 0.0) != n.end()) return kFallback;
  const double y = n[0] / (n[0] + 2 * n[1]);
  std::array<double, 3> discounts{};
  for (std::size_t i = 0; i < discounts.size(); ++i) {
    const auto count = static_cast<double>(i + 1);
    discounts[i] = count - (count + 1) * y * n[i + 1] / n[i];
    if (!(discounts[i] >= 0 && discounts[i] <= count)) return kFallback;
  }
  return discounts;
}

}  // namespace

NgramModel::NgramModel(std::int64_t vocabulary)
    : vocabulary_(vocabulary), nodes_(1), keys_(kFirstSlots), values_(kFirstSlots) {}

std::size_t NgramModel::slot_of(std::uint64_t key) const {
  const std::size_t mask = keys_.size() - 1;
  std::size_t slot = data::mix(key) & mask;
  while (keys_[slot] != 0 && keys_[slot] != key) slot = (slot + 1) & mask;
  return slot;
}

NgramModel::Node NgramModel::find(Node parent, data::TokenId token) const {
  if (parent == kNone) return kNone;
  const std::uint64_t key = key_of(parent, token);
  const std::size_t slot = slot_of(key);
  return keys_[slot] == key ? values_[slot] : kNone;
}

NgramModel::Node NgramModel::find_or_make(Node parent, data::TokenId token, bool& made) {
  const std::uint64_t key = key_of(parent, token);
  const std::size_t slot = slot_of(key);
  made = keys_[slot] == 0;
  if (!made) return values_[slot];
  const auto node = static_cast<Node>(nodes_.size());
  keys_[slot] = key;
  values_[slot] = node;
  nodes_.push_back({.parent = parent, .length = static_cast<std::uint8_t>(nodes_[parent].length + 1)});
  if (2 * nodes_.size() > keys_.size()) grow();
  return node;
}

void NgramModel::grow() {
  const std::vector<std::uint64_t> keys = std::exchange(keys_, std::vector<std::uint64_t>(2 * keys_.size()));
  const std::vector<Node> values = std::exchange(values_, std::vector<Node>(keys_.size()));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i] == 0) continue;
    const std::size_t slot = slot_of(keys[i]);
    keys_[slot] = keys[i];
    values_[slot] = values[i];
  }
}

void NgramModel::learn(std::span<const data::TokenId> piece) {
  std::array<Node, kMostOrder + 1> ending{};  // ending[k]: the last k tokens
  for (std::size_t place = 0; place < piece.size(); ++place) {
    const int longest = std::min(kMostOrder, static_cast<int>(place) + 1);
    std::array<Node, kMostOrder + 1> next{kRoot};
    for (int length = 1; length <= longest; ++length) {
      const auto k = static_cast<std::size_t>(length);
      bool made = false;
      next[k] = find_or_make(ending[k - 1], piece[place], made);
      if (place == 0) continue;  // given, not predicted
      ++nodes_[next[k]].count[kOccurring];
      if (made && length > 1) ++nodes_[next[k - 1]].count[kContinuing];
      if (k == place + 1) ++nodes_[next[k]].count[kContinuing];  // begins the piece
    }
    ending = next;
  }
}

void NgramModel::weigh() {
  for (const Kind kind : {kOccurring, kContinuing}) {
    std::array<std::array<double, 4>, kMostOrder + 1> having{};  // by length: n-grams of which there are 1 to 4
    following_[kind].assign(nodes_.size(), {});
    for (const Counted& node : nodes_) {
      const std::uint32_t count = node.count[kind];
      if (count == 0) continue;
      if (count <= 4) ++having[node.length][count - 1];
      Following& following = following_[kind][node.parent];
      following.total += count;
      ++following.counted[class_of(count)];
    }
    for (std::size_t length = 1; length <= kMostOrder; ++length) {
      discounts_[kind][length] = discounts_from(having[length]);
    }
  }
}

double NgramModel::interpolated(Kind kind, int order, Node context, Node ngram, double lower) const {
  if (context == kNone) return lower;
  const Following& following = following_[kind][context];
  if (following.total == 0) return lower;
  const Discounts& discounts = discounts_[kind][static_cast<std::size_t>(order)];
  double taken = 0;
  for (std::size_t i = 0; i < discounts.size(); ++i) taken += discounts[i] * following.counted[i];
  const std::uint32_t count = ngram == kNone ? 0 : nodes_[ngram].count[kind];
  const double own = count == 0 ? 0 : count - discounts[class_of(count)];
  return (own + taken * lower) / following.total;
}

NgramModel::ByOrder NgramModel::probabilities(const Contexts& contexts, std::size_t place, data::TokenId token) const {
  ByOrder found{};
  double lower = 1.0 / static_cast<double>(vocabulary_);
  for (int order = 1; order <= kMostOrder; ++order) {
    const auto k = static_cast<std::size_t>(order - 1);
    if (k > place) {  // so near the piece's beginning there is no longer context
      found[k] = lower;
      continue;
    }
    const Node ngram = find(contexts[k], token);
    found[k] = interpolated(kOccurring, order, contexts[k], ngram, lower);
    lower = interpolated(kContinuing, order, contexts[k], ngram, lower);
  }
  return found;
}

void NgramModel::advance(Contexts& contexts, data::TokenId token) const {
  for (std::size_t k = contexts.size() - 1; k > 0; --k) contexts[k] = find(contexts[k - 1], token);
}

NgramModel::ByOrder NgramModel::probabilities(std::span<const data::TokenId> piece, std::size_t place) const {
  Contexts contexts{};
  std::fill(contexts.begin() + 1, contexts.end(), kNone);
  for (std::size_t i = 0; i < place; ++i) advance(contexts, piece[i]);
  return probabilities(contexts, place, piece[place]);
}

NgramModel::ByOrder NgramModel::loss(std::span<const data::TokenId> piece) const {
  Contexts contexts{};
  std::fill(contexts.begin() + 1, contexts.end(), kNone);
  ByOrder sums{};
  for (std::size_t place = 0; place < piece.size(); ++place) {
    if (place > 0) {
      const ByOrder found = probabilities(contexts, place, piece[place]);
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] -= std::log(found[i]);
    }
    advance(contexts, piece[place]);
  }
  return sums;
}

}  // namespace etude::analysis
