#pragma once

#include <mutex>
#include <vector>

#include "framework/parallel/bucket.h"

namespace etude::parallel {

/// Adds gradients as they come, and leaves the rest to the library's all-reduce.
class FastBucket : public Bucket {
 public:
  /// `gradients`: how many add() brings in a step, over all grains of this rank.
  FastBucket(comm::Communicator& communicator, at::Tensor sum, std::size_t gradients);

  void begin() override;
  void add(std::int64_t grain, std::int64_t offset, const at::Tensor& gradient) override;
  comm::WorkPtr start_exchange() override;

 private:
  comm::Communicator& communicator_;
  const std::size_t gradients_;

  std::mutex mutex_;
  std::size_t missing_;
  std::vector<std::int64_t> begun_;  ///< offsets where a first gradient has been copied, for others to be added to
};

}  // namespace etude::parallel
