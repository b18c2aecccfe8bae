#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace etude::log {

/// How many of some numbers lie where. A bucket holds the float32 numbers that agree in sign, exponent and the two
/// highest bits of the fraction, so its upper end is 14 to 25 % above its lower one, a number is put into it by a shift
/// of its bits, and no range has to be known beforehand.
class Distribution {
 public:
  Distribution() : counts_(kBuckets) {}

  void add(std::span<const float> values);

  struct Bucket {
    double low = 0, high = 0;
    std::int64_t count = 0;
  };
  /// Those from the first that holds anything to the last, from the lowest values to the highest.
  std::vector<Bucket> buckets() const;

  double min() const { return min_; }  ///< meaningless while count() is 0
  double max() const { return max_; }
  double sum() const { return sum_; }
  double sum_of_squares() const { return squares_; }
  std::int64_t count() const { return count_; }            ///< finite ones
  std::int64_t non_finite() const { return non_finite_; }  ///< in no bucket and no sum

 private:
  static constexpr int kDropped = 21;  ///< bits of the fraction that do not matter
  static constexpr std::size_t kBuckets = 1U << (32 - kDropped);

  std::vector<std::int64_t> counts_;  ///< by the highest bits of the number, sign first
  double min_ = 0, max_ = 0, sum_ = 0, squares_ = 0;
  std::int64_t count_ = 0, non_finite_ = 0;
};

}  // namespace etude::log
