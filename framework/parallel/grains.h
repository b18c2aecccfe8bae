#pragma once

#include <cstdint>

namespace etude::parallel {

/// Grains [begin, end) of a global batch.
struct GrainRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;

  std::int64_t size() const { return end - begin; }
  /// Whether all of `other` is in here.
  bool holds(const GrainRange& other) const { return begin <= other.begin && other.end <= end; }
};

/// The grains that a rank computes: contiguous, by rank, and as even as can be.
GrainRange grains_of_rank(std::int64_t grains, int rank, int size);

}  // namespace etude::parallel
