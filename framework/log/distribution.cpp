#include "framework/log/distribution.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace etude::log {

void Distribution::add(std::span<const float> values) {
  for (const float value : values) {
    if (!std::isfinite(value)) {
      ++non_finite_;
      continue;
    }
    const double wide = value;
    min_ = count_ == 0 ? wide : std::min(min_, wide);
    max_ = count_ == 0 ? wide : std::max(max_, wide);
    sum_ += wide;
    squares_ += wide * wide;
    ++count_;
    ++counts_[std::bit_cast<std::uint32_t>(value) >> kDropped];
  }
}

std::vector<Distribution::Bucket> Distribution::buckets() const {
  constexpr std::size_t kHalf = kBuckets / 2;  // one sign's
  const auto edge = [](std::size_t magnitude) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(magnitude << kDropped));
    return static_cast<double>(std::min(value, std::numeric_limits<float>::max()));
  };
  std::vector<Bucket> all;
  all.reserve(kBuckets);
  // Of the negative numbers the largest magnitude is the lowest value. The last exponent is that of infinity.
  constexpr std::size_t kFinite = kHalf - (1U << (23 - kDropped));
  for (std::size_t i = kFinite; i-- > 0;) all.push_back({-edge(i + 1), -edge(i), counts_[kHalf + i]});
  for (std::size_t i = 0; i < kFinite; ++i) all.push_back({edge(i), edge(i + 1), counts_[i]});
  const auto holds = [](const Bucket& bucket) { return bucket.count > 0; };
  const auto first = std::find_if(all.begin(), all.end(), holds);
  const auto last = std::find_if(all.rbegin(), all.rend(), holds).base();
  return first < last ? std::vector<Bucket>(first, last) : std::vector<Bucket>{};
}

}  // namespace etude::log
