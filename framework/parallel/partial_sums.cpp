#include "framework/parallel/partial_sums.h"

#include <algorithm>

#include <ATen/ops/empty.h>

#include "framework/parallel/float_sums.h"

namespace etude::parallel {

PartialSums::PartialSums(const GrainTree& tree, const GrainRange& own, at::Tensor first)
    : tree_(tree),
      own_(own),
      first_(std::move(first)),
      subtrees_(tree.maximal_subtrees(own)),
      sums_(subtrees_.size()),
      leaves_(static_cast<std::size_t>(own.size())) {}

void PartialSums::begin() {
  const std::lock_guard lock(mutex_);
  for (at::Tensor& sum : sums_) recycle(std::exchange(sum, {}));
  complete_ = 0;
}

at::Tensor PartialSums::leaf(std::int64_t grain) {
  const std::lock_guard lock(mutex_);
  at::Tensor& leaf = leaf_of(grain);
  // Sums are made in the left one of two buffers, so that the first grain's becomes the first subtree's.
  if (!leaf.defined()) leaf = grain == own_.begin ? first_ : spare_buffer();
  return leaf;
}

bool PartialSums::close(std::int64_t grain) {
  TreeNode node{0, grain};
  std::unique_lock lock(mutex_);
  at::Tensor sum = std::exchange(leaf_of(grain), {});
  while (!put_subtree(node, sum)) {
    if (tree_.exists(node.sibling())) {
      at::Tensor other = take_waiting(node.sibling());
      if (!other.defined()) {
        waiting_.push_back({node, sum});
        return false;
      }
      if (!node.is_left()) std::swap(sum, other);
      lock.unlock();
      add({sum}, {sum}, {other}, sum.numel());
      lock.lock();
      recycle(std::move(other));
    }
    node = node.parent();
  }
  return complete_ == subtrees_.size();
}

at::Tensor PartialSums::spare_buffer() {
  if (spare_.empty()) return at::empty(first_.sizes(), first_.options());
  at::Tensor buffer = std::move(spare_.back());
  spare_.pop_back();
  return buffer;
}

void PartialSums::recycle(at::Tensor buffer) {
  if (buffer.defined() && !buffer.is_same(first_)) spare_.push_back(std::move(buffer));
}

bool PartialSums::put_subtree(const TreeNode& node, const at::Tensor& sum) {
  const auto found = std::find(subtrees_.begin(), subtrees_.end(), node);
  if (found == subtrees_.end()) return false;
  sums_[static_cast<std::size_t>(found - subtrees_.begin())] = sum;
  ++complete_;
  return true;
}

at::Tensor PartialSums::take_waiting(const TreeNode& node) {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& w) { return w.node == node; });
  if (found == waiting_.end()) return {};
  at::Tensor sum = std::move(found->sum);
  waiting_.erase(found);
  return sum;
}

}  // namespace etude::parallel
