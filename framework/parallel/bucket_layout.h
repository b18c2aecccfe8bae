#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace etude::parallel {

/// Where each parameter's gradient stands.
struct BucketLayout {
  struct Slot {
    std::size_t bucket = 0;
    std::int64_t offset = 0;  ///< within the bucket, in values
    std::int64_t values = 0;
  };
  struct Bucket {
    std::int64_t values = 0;
    std::size_t parameters = 0;
  };
  std::vector<Slot> slots;  ///< by parameter
  std::vector<Bucket> buckets;

  std::int64_t largest_bucket() const;
};

/// Fills buckets of `bucket_bytes` of float32 with parameters of `sizes` values, the last parameter first, as backward
/// finishes them. A parameter is not cut: one that is larger than a bucket has one of its own.
BucketLayout lay_into_buckets(const std::vector<std::int64_t>& sizes, std::int64_t bucket_bytes);

}  // namespace etude::parallel
