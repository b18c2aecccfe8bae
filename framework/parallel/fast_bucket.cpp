#include "framework/parallel/fast_bucket.h"

#include <algorithm>

#include "framework/parallel/float_sums.h"

namespace etude::parallel {

FastBucket::FastBucket(comm::Communicator& communicator, at::Tensor sum, std::size_t gradients)
    : Bucket(std::move(sum)), communicator_(communicator), gradients_(gradients), missing_(gradients) {}

void FastBucket::begin() {
  Bucket::begin();
  missing_ = gradients_;
  begun_.clear();
}

void FastBucket::add(std::int64_t, std::int64_t offset, const at::Tensor& gradient) {
  const std::lock_guard lock(mutex_);
  const Stretch to{sum(), offset};
  if (std::find(begun_.begin(), begun_.end(), offset) != begun_.end()) {
    add_as_float(to, gradient);
  } else {
    copy_as_float(to, gradient);
    begun_.push_back(offset);
  }
  if (--missing_ == 0) set_ready();
}

comm::WorkPtr FastBucket::start_exchange() { return communicator_.all_reduce(sum(), comm::ReduceOp::kSum); }

}  // namespace etude::parallel
