#pragma once

#include "models/kernels/isa/dropout.h"
#include "models/kernels/isa/simd.h"
#include "models/kernels/kernels.h"
#include "models/kernels/philox.h"

namespace etude::models::ETUDE_ISA {

/// The columns [begin, end) that a query sees, which whole vectors from `first` on cover.
struct Seen {
  std::int64_t begin = 0, end = 0, first = 0;

  Seen() = default;
  Seen(std::int64_t begin_column, std::int64_t end_column)
      : begin(begin_column), end(end_column), first(begin_column / kLanes * kLanes) {}

  /// Makes what else these vectors hold of a row `x`.
  void hide_others(float* row, float x) const {
    if (begin != first) {
      store(row + first, lane_numbers() < static_cast<std::int32_t>(begin - first) ? all(x) : load(row + first));
    }
    if (end % kLanes != 0) {
      float* last = row + end / kLanes * kLanes;
      store(last, lane_numbers() >= static_cast<std::int32_t>(end % kLanes) ? all(x) : load(last));
    }
  }
};

inline void clear(float* from, std::int64_t count) {
  std::memset(from, 0, static_cast<std::size_t>(count) * sizeof(float));
}

/// Writes zeros into whole vectors from column i until one begins at `end` or after, and returns where that is.
template <typename Part>
std::int64_t clear_until(Part* row, std::int64_t i, std::int64_t end) {
  for (; i < end; i += kLanes) store(row + i, Floats{});
  return i;
}

/// What the mask does to the probabilities of one query: 0 or 1 / (1 - rate), drawn a group at a time.
class MaskRow {
 public:
  /// `first`: the column of the first vector that is asked for.
  MaskRow(const AttentionHead& head, std::int64_t query, std::int64_t first)
      : mask_(head.mask),
        group_(head.first_group + static_cast<std::uint64_t>(query) * head.groups_per_query +
               static_cast<std::uint64_t>(first / MaskStream::kGroup)),
        next_(first / MaskStream::kGroup * MaskStream::kGroup) {}

  /// Of columns i, i + 1, …; to be called for multiples of kLanes in ascending order.
  Floats at(std::int64_t i) {
    for (; next_ <= i; next_ += MaskStream::kGroup) mask_->draw(group_++, numbers_);
    return factors(*mask_, numbers_ + i % MaskStream::kGroup);
  }

 private:
  const MaskStream* mask_;
  std::uint64_t group_;
  std::int64_t next_;  // the first column of the group that is drawn next
  std::uint16_t numbers_[MaskStream::kGroup];
};

}  // namespace etude::models::ETUDE_ISA
