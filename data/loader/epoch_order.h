#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace etude::data {

/// The order of an epoch's sequences: a permutation that depends on (seed, epoch) alone. Safe from several threads.
class EpochOrder {
 public:
  EpochOrder(std::int64_t size, std::uint64_t seed) : size_(size), seed_(seed) {}
  using Permutation = std::shared_ptr<const std::vector<std::int64_t>>;
  Permutation of(std::int64_t epoch) const;

 private:
  std::int64_t size_;
  std::uint64_t seed_;
  mutable std::mutex mutex_;
  /// The epochs asked for last: a batch that runs across an epoch's end needs two.
  mutable std::pair<std::int64_t, Permutation> recent_[2] = {{-1, nullptr}, {-1, nullptr}};
};

}  // namespace etude::data
