#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "framework/comm/communicator.h"

namespace etude::parallel {

enum class Reduction {
  kTree,  ///< a fixed binary tree over grains: the same bits on any number of ranks
  kFast,  ///< a running sum within the rank, then the library's all-reduce: bits depend on the number of ranks
};

struct ReducerOptions {
  Reduction reduction = Reduction::kTree;
  std::int64_t bucket_bytes = 4 << 20;
  at::Device device = at::kCPU;  ///< where the gradients are, and their sums will be
};

/// Sums the gradients of all grains of a global batch over all ranks, while backward still runs.
///
/// Parameters are laid into buckets in reverse order (the order in which backward finishes them). Each grain's gradient
/// of each parameter is given to add() as soon as it is known, from whichever thread. When the last local grain has
/// filled a bucket, the bucket goes to the communicator.
///
/// kTree: grain i is leaf i of a binary tree over the `grains` of the global batch (node = left + right; leaf count
/// rounded up to a power of two, absent leaves add nothing). Each rank holds contiguous leaves, sums the maximal
/// complete subtrees among them, exchanges slices of those, finishes the tree for its slice, and gathers: the traffic
/// of a ring all-reduce when the number of ranks and grains are powers of two.
///
/// On a GPU the order of streams takes the place of waiting: sums over this rank's grains are made on the computing
/// stream, those over ranks on the communicator's, and the host only puts them there.
///
/// When its collectives are posted depends on how fast the gradients come, so between begin() and finish() nothing else
/// may be posted on the same communicator: ranks would disagree on the order.
class GradientReducer {
 public:
  /// `sizes`: number of values of each parameter. `grains`: of the whole global batch; this rank's are those that
  /// grains_of_rank() gives. Throws UsageError when some rank would have none.
  GradientReducer(comm::Communicator& communicator, std::vector<std::int64_t> sizes, std::int64_t grains,
                  ReducerOptions options);
  ~GradientReducer();
  GradientReducer(const GradientReducer&) = delete;
  GradientReducer& operator=(const GradientReducer&) = delete;

  /// Starts a step. The tensors that finish() gave are overwritten from now on.
  void begin();
  /// The gradient (any float type, any shape, contiguous) of one parameter from one of this rank's grains (its index
  /// within the global batch). Copies it; thread-safe. A parameter a grain does not use must be given as zeros.
  void add(std::int64_t grain, std::size_t parameter, const at::Tensor& gradient);
  /// Waits until everything has arrived (on a GPU, lets the current stream wait); float32 sums, flat [sizes[i]] each,
  /// the same on every rank. Valid until begin(). A step whose sums nobody wants is finished all the same: the other
  /// ranks wait for its buckets.
  const std::vector<at::Tensor>& finish();
  /// Time finish() was blocked since construction: communication that did not overlap with computing.
  double seconds_waited() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace etude::parallel
