#include "framework/parallel/grain_tree.h"

#include <algorithm>

namespace etude::parallel {

GrainTree::GrainTree(std::int64_t grains) : grains_(grains) {
  while ((std::int64_t{1} << root_.level) < grains) ++root_.level;
}

GrainRange GrainTree::grains_below(const TreeNode& node) const {
  return {std::min(node.index << node.level, grains_), std::min((node.index + 1) << node.level, grains_)};
}

std::vector<TreeNode> GrainTree::maximal_subtrees(const GrainRange& range) const {
  std::vector<TreeNode> found;
  const auto visit = [&](const auto& self, const TreeNode& node) -> void {
    const GrainRange below = grains_below(node);
    if (below.end <= range.begin || range.end <= below.begin) return;
    if (range.holds(below)) {
      found.push_back(node);
      return;
    }
    self(self, node.left());
    self(self, node.right());
  };
  visit(visit, root_);
  return found;
}

std::vector<GrainTree::Addition> GrainTree::additions(const std::vector<TreeNode>& nodes) const {
  std::vector<Addition> order;
  const auto sum = [&](const auto& self, const TreeNode& node) -> std::size_t {
    const auto given = std::find(nodes.begin(), nodes.end(), node);
    if (given != nodes.end()) return static_cast<std::size_t>(given - nodes.begin());
    const std::size_t left = self(self, node.left());
    if (exists(node.right())) order.push_back({left, self(self, node.right())});
    return left;
  };
  sum(sum, root_);
  return order;
}

}  // namespace etude::parallel
