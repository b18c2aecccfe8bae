#include "framework/parallel/tree_bucket.h"

#include <algorithm>

#include <ATen/ops/empty.h>

#include "framework/parallel/float_sums.h"

namespace etude::parallel {
namespace {

constexpr std::size_t index(int rank) { return static_cast<std::size_t>(rank); }

/// Values of the largest of `size` slices.
std::int64_t largest_slice(std::int64_t values, int size) { return (values + size - 1) / size; }

}  // namespace

TreePlan::TreePlan(std::int64_t grains, int rank_, int size_)
    : tree(grains), rank(rank_), size(size_), own(grains_of_rank(grains, rank_, size_)) {
  std::vector<TreeNode> nodes;
  for (int r = 0; r < size; ++r) {
    const std::vector<TreeNode> brought = tree.maximal_subtrees(grains_of_rank(grains, r, size));
    subtrees.push_back(static_cast<std::int64_t>(brought.size()));
    nodes.insert(nodes.end(), brought.begin(), brought.end());
  }
  all_subtrees = static_cast<std::int64_t>(nodes.size());
  additions = tree.additions(nodes);
}

ExchangeRoom::ExchangeRoom(const TreePlan& plan, std::int64_t largest_bucket, at::Device device) {
  const std::int64_t own_subtrees = plan.subtrees[index(plan.rank)];
  if (plan.size == 1) return;
  const auto room = [&](std::int64_t values) {
    return at::empty({values}, at::TensorOptions().dtype(at::kFloat).device(device));
  };
  if (own_subtrees > 1) sent = room(own_subtrees * largest_bucket);
  received = room(plan.all_subtrees * largest_slice(largest_bucket, plan.size));
}

TreeBucket::TreeBucket(comm::Communicator& communicator, at::Tensor sum, std::size_t parameters, const TreePlan& plan,
                       ExchangeRoom& room)
    : Bucket(sum),
      communicator_(communicator),
      parameters_(parameters),
      plan_(plan),
      room_(room),
      partial_(plan.tree, plan.own, sum),
      missing_(static_cast<std::size_t>(plan.own.size())) {
  const std::int64_t values = sum.numel();
  for (int r = 0; r < plan.size; ++r) {
    slices_at_.push_back(values * r / plan.size);
    slices_.push_back(values * (r + 1) / plan.size - slices_at_.back());
  }
}

void TreeBucket::begin() {
  Bucket::begin();
  partial_.begin();
  for (auto& missing : missing_) missing.store(parameters_);
}

void TreeBucket::add(std::int64_t grain, std::int64_t offset, const at::Tensor& gradient) {
  copy_as_float({partial_.leaf(grain), offset}, gradient);
  auto& missing = missing_[static_cast<std::size_t>(grain - plan_.own.begin)];
  if (missing.fetch_sub(1) == 1 && partial_.close(grain)) set_ready();
}

comm::WorkPtr TreeBucket::start_exchange() {
  if (plan_.size == 1) return nullptr;  // the one subtree is the tree, and its sum is in place
  const std::int64_t own_slice = slices_[index(plan_.rank)], own_subtrees = plan_.subtrees[index(plan_.rank)];
  std::vector<std::int64_t> send = slices_, receive = plan_.subtrees;
  for (std::int64_t& count : send) count *= own_subtrees;
  for (std::int64_t& count : receive) count *= own_slice;
  return communicator_.all_to_all(room_.received.narrow(0, 0, plan_.all_subtrees * own_slice), std::move(receive),
                                  sliced_subtrees(), std::move(send));
}

/// For each rank in turn, its slice of each of our subtrees.
at::Tensor TreeBucket::sliced_subtrees() {
  const std::vector<at::Tensor>& sums = partial_.sums();
  if (sums.size() == 1) return sums.front();
  std::int64_t at = 0;
  for (std::size_t r = 0; r < slices_.size(); ++r) {
    for (const at::Tensor& sum : sums) {
      copy_as_float({room_.sent, at}, sum.narrow(0, slices_at_[r], slices_[r]));
      at += slices_[r];
    }
  }
  return room_.sent.narrow(0, 0, static_cast<std::int64_t>(sums.size()) * sum().numel());
}

comm::WorkPtr TreeBucket::start_gather() {
  if (plan_.size == 1) return nullptr;
  const std::int64_t slice = slices_[index(plan_.rank)], slice_at = slices_at_[index(plan_.rank)];
  const auto subtree = [&](std::size_t i) { return Stretch{room_.received, static_cast<std::int64_t>(i) * slice}; };
  for (const auto& [left, right] : plan_.additions) {
    const bool last = &right == &plan_.additions.back().right;
    parallel::add(last ? Stretch{sum(), slice_at} : subtree(left), subtree(left), subtree(right), slice);
  }
  return communicator_.all_gather(sum(), sum().narrow(0, slice_at, slice), slices_);
}

}  // namespace etude::parallel
