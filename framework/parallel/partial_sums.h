#pragma once

#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "framework/parallel/grain_tree.h"

namespace etude::parallel {

/// The sums of one bucket over the grains of one rank, up to the highest nodes of the tree that these grains can make.
/// Works like a binary counter: a sum waits until its sibling is there too, then both become their parent. So however
/// the grains arrive, and from how many threads, the additions are the same, and few buffers are alive at once.
class PartialSums {
 public:
  /// The sum over the first of this rank's subtrees is made in `first`, [values]: with one subtree it needs no copy.
  PartialSums(const GrainTree& tree, const GrainRange& own, at::Tensor first);

  /// Forgets all sums and keeps their buffers.
  void begin();
  /// Where the values of a grain belong, [values]; the same each time until close().
  at::Tensor leaf(std::int64_t grain);
  /// Says that a grain's values are all there. True when with them every subtree is complete.
  bool close(std::int64_t grain);

  /// The rank's maximal subtrees and, once complete, their sums, [values] each.
  const std::vector<TreeNode>& subtrees() const { return subtrees_; }
  const std::vector<at::Tensor>& sums() const { return sums_; }

 private:
  struct Waiting {
    TreeNode node;
    at::Tensor sum;
  };

  at::Tensor& leaf_of(std::int64_t grain) { return leaves_[static_cast<std::size_t>(grain - own_.begin)]; }
  at::Tensor spare_buffer();
  void recycle(at::Tensor buffer);
  bool put_subtree(const TreeNode& node, const at::Tensor& sum);
  at::Tensor take_waiting(const TreeNode& node);

  const GrainTree& tree_;
  const GrainRange own_;
  const at::Tensor first_;
  const std::vector<TreeNode> subtrees_;

  std::mutex mutex_;  // guards what follows; additions happen outside it
  std::vector<at::Tensor> sums_;
  std::size_t complete_ = 0;
  std::vector<at::Tensor> leaves_;  // by grain, undefined before leaf() and after close()
  std::vector<Waiting> waiting_;
  std::vector<at::Tensor> spare_;
};

}  // namespace etude::parallel
