#pragma once

#include "framework/comm/communicator.h"

namespace etude::comm {

/// One rank that is alone: every collective is a copy at most, and is done when it returns. Takes
/// tensors of a GPU as well.
class SingleProcess : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  int local_rank() const override { return 0; }
  int local_size() const override { return 1; }
  std::string name() const override { return "single process"; }

  WorkPtr all_reduce(at::Tensor values, ReduceOp op) override;
  WorkPtr broadcast(at::Tensor values, int root) override;
  WorkPtr reduce_scatter(at::Tensor output, at::Tensor input) override;
  WorkPtr all_gather(at::Tensor output, at::Tensor input, std::vector<std::int64_t> counts) override;
  WorkPtr all_to_all(at::Tensor output, std::vector<std::int64_t> receive_counts, at::Tensor input,
                     std::vector<std::int64_t> send_counts) override;
  void barrier() override {}
};

}  // namespace etude::comm
