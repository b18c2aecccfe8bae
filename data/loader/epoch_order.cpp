#include "data/loader/epoch_order.h"

#include <numeric>

#include "data/loader/random.h"

namespace etude::data {
namespace {

/// Fisher and Yates' shuffle, each draw keyed by its place.
std::vector<std::int64_t> shuffled(std::int64_t size, std::uint64_t seed, std::int64_t epoch) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(size));
  std::iota(order.begin(), order.end(), 0);
  for (std::int64_t last = size - 1; last > 0; --last) {
    const std::int64_t chosen = uniform(random_bits(seed, Purpose::kOrder, {epoch, last}), 0, last);
    std::swap(order[static_cast<std::size_t>(last)], order[static_cast<std::size_t>(chosen)]);
  }
  return order;
}

}  // namespace

EpochOrder::Permutation EpochOrder::of(std::int64_t epoch) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [known, order] : recent_) {
    if (known == epoch) return order;
  }
  auto& oldest = recent_[recent_[0].first < recent_[1].first ? 0 : 1];
  oldest = {epoch, std::make_shared<const std::vector<std::int64_t>>(shuffled(size_, seed_, epoch))};
  return oldest.second;
}

}  // namespace etude::data
