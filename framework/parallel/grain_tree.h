#pragma once

#include <cstddef>
#include <vector>

#include "framework/parallel/grains.h"

namespace etude::parallel {

/// Node `index` of `level`; level 0 are the grains themselves.
struct TreeNode {
  int level = 0;
  std::int64_t index = 0;

  bool operator==(const TreeNode&) const = default;
  TreeNode parent() const { return {level + 1, index / 2}; }
  TreeNode sibling() const { return {level, index ^ 1}; }
  TreeNode left() const { return {level - 1, 2 * index}; }
  TreeNode right() const { return {level - 1, 2 * index + 1}; }
  bool is_left() const { return index % 2 == 0; }
};

/// The binary tree in which gradients are summed. It depends on the number of grains alone, so the order of additions,
/// and with it every bit of the sum, is the same however many ranks share the grains.
///
/// With a number of grains that is not a power of two the last leaves are absent; a node without a right child is its
/// left child.
class GrainTree {
 public:
  explicit GrainTree(std::int64_t grains);

  TreeNode root() const { return root_; }
  /// Grains below a node; none when the node is absent.
  GrainRange grains_below(const TreeNode& node) const;
  bool exists(const TreeNode& node) const { return grains_below(node).size() > 0; }

  /// The highest nodes that stand on grains of `range` alone, from left to right: what can be summed with these grains.
  std::vector<TreeNode> maximal_subtrees(const GrainRange& range) const;

  /// nodes[left] += nodes[right]
  struct Addition {
    std::size_t left;
    std::size_t right;
  };
  /// The additions, in a possible order, that leave the root's sum in nodes[0], given the sums of `nodes`, which stand
  /// side by side from the first grain to the last.
  std::vector<Addition> additions(const std::vector<TreeNode>& nodes) const;

 private:
  std::int64_t grains_;
  TreeNode root_;
};

}  // namespace etude::parallel
