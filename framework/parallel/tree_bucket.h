#pragma once

#include <atomic>
#include <vector>

#include "framework/parallel/bucket.h"
#include "framework/parallel/grain_tree.h"
#include "framework/parallel/partial_sums.h"

namespace etude::parallel {

/// Which subtrees every rank brings, and how they make the whole tree: the same for all buckets.
struct TreePlan {
  TreePlan(std::int64_t grains, int rank, int size);

  GrainTree tree;
  int rank;
  int size;
  GrainRange own;                              ///< this rank's grains
  std::vector<std::int64_t> subtrees;          ///< by rank, how many
  std::int64_t all_subtrees = 0;               ///< over all ranks
  std::vector<GrainTree::Addition> additions;  ///< over all ranks' subtrees, numbered from left to right
};

/// Room for one exchange; buckets that are not under way at the same time share it.
struct ExchangeRoom {
  ExchangeRoom(const TreePlan& plan, std::int64_t largest_bucket, at::Device device);

  at::Tensor sent;
  at::Tensor received;
};

/// Sums gradients in the order of the tree. A bucket is cut into one slice per rank; the exchange brings each rank
/// its slice of everybody's subtrees, with which it finishes the tree; the gather gives the slices of the sum to all.
class TreeBucket : public Bucket {
 public:
  /// `parameters`: how many have their gradients here. `plan` and `room` must outlive the bucket.
  TreeBucket(comm::Communicator& communicator, at::Tensor sum, std::size_t parameters, const TreePlan& plan,
             ExchangeRoom& room);

  void begin() override;
  void add(std::int64_t grain, std::int64_t offset, const at::Tensor& gradient) override;
  comm::WorkPtr start_exchange() override;
  comm::WorkPtr start_gather() override;

 private:
  at::Tensor sliced_subtrees();

  comm::Communicator& communicator_;
  const std::size_t parameters_;
  const TreePlan& plan_;
  ExchangeRoom& room_;
  PartialSums partial_;
  std::vector<std::atomic<std::size_t>> missing_;  ///< gradients still to come, by grain of this rank
  std::vector<std::int64_t> slices_;               ///< by rank, values of its slice
  std::vector<std::int64_t> slices_at_;            ///< by rank, where its slice begins
};

}  // namespace etude::parallel
