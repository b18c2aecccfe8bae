#pragma once

#include <limits>
#include <memory>

#include "framework/comm/communicator.h"

namespace etude::comm {

class MpiThread;

/// Ranks started by an MPI launcher. All calls of MPI happen on one thread that belongs to this object; the
/// methods post to it and return. There can be one such object in the life of a process.
class Mpi : public Communicator {
 public:
  /// MPI counts in int; what is longer than `largest_count` values travels in pieces (smaller in tests of just that).
  explicit Mpi(std::int64_t largest_count = std::numeric_limits<int>::max());
  ~Mpi() override;

  int rank() const override;
  int size() const override;
  int local_rank() const override;
  int local_size() const override;
  std::string name() const override;

  /// Sums, minima and maxima of float32, float64, int64, int32 and uint8; the others copy values of any type.
  WorkPtr all_reduce(at::Tensor values, ReduceOp op) override;
  WorkPtr broadcast(at::Tensor values, int root) override;
  WorkPtr reduce_scatter(at::Tensor output, at::Tensor input) override;
  WorkPtr all_gather(at::Tensor output, at::Tensor input, std::vector<std::int64_t> counts) override;
  WorkPtr all_to_all(at::Tensor output, std::vector<std::int64_t> receive_counts, at::Tensor input,
                     std::vector<std::int64_t> send_counts) override;
  void barrier() override;
  void describe(std::int64_t step, const char* doing) override;
  void watch(const Deadline& deadline) override;
  [[noreturn]] void abort(int code) override;

 private:
  const std::int64_t largest_count_;
  std::unique_ptr<MpiThread> thread_;
};

}  // namespace etude::comm
