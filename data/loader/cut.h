#pragma once

#include <algorithm>
#include <cstdint>

namespace etude::data {

/// How a piece of `targets` learnable tokens is cut into sequences of at most `length`: a head of any size, then whole
/// ones, then the rest. The head's bounds leave the count of sequences the smallest possible, wherever the cut falls.
struct Cut {
  std::int64_t targets = 0;
  std::int64_t length = 0;

  std::int64_t count() const { return (targets + length - 1) / length; }
  std::int64_t shortest_head() const { return targets - (count() - 1) * length; }
  std::int64_t longest_head() const { return std::min(targets, length); }

  std::int64_t begin(std::int64_t sequence, std::int64_t head) const {
    return sequence == 0 ? 0 : head + (sequence - 1) * length;
  }
  std::int64_t end(std::int64_t sequence, std::int64_t head) const {
    return std::min(head + sequence * length, targets);
  }
};

/// Every token of a piece but the first is something to predict.
inline std::int64_t targets_of(std::int64_t tokens) { return std::max<std::int64_t>(0, tokens - 1); }

}  // namespace etude::data
