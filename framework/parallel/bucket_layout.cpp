#include "framework/parallel/bucket_layout.h"

#include <algorithm>

namespace etude::parallel {

std::int64_t BucketLayout::largest_bucket() const {
  std::int64_t largest = 0;
  for (const Bucket& bucket : buckets) largest = std::max(largest, bucket.values);
  return largest;
}

BucketLayout lay_into_buckets(const std::vector<std::int64_t>& sizes, std::int64_t bucket_bytes) {
  const std::int64_t capacity = bucket_bytes / static_cast<std::int64_t>(sizeof(float));
  BucketLayout layout;
  layout.slots.resize(sizes.size());
  for (std::size_t parameter = sizes.size(); parameter-- > 0;) {
    const std::int64_t values = sizes[parameter];
    if (layout.buckets.empty() || layout.buckets.back().values + values > capacity) layout.buckets.emplace_back();
    BucketLayout::Bucket& bucket = layout.buckets.back();
    layout.slots[parameter] = {layout.buckets.size() - 1, bucket.values, values};
    bucket.values += values;
    ++bucket.parameters;
  }
  return layout;
}

}  // namespace etude::parallel
