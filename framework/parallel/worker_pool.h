#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace etude::parallel {

/// Threads that each compute whole grains. LibTorch's own threads stay off: a grain computed by one thread has the same
/// bits however many of them there are, and small models gain more from grains side by side than from split products.
class WorkerPool {
 public:
  /// `threads` workers; with 1 everything runs on the calling thread. Sets LibTorch's threads to 1 for the process.
  explicit WorkerPool(int threads);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  int threads() const;
  /// Calls task(worker, item) for every item in [0, items), each once, started in order; worker is in [0, threads()).
  /// Returns when all are done; rethrows the first exception.
  void run(std::int64_t items, const std::function<void(int worker, std::int64_t item)>& task);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Restricts this process, and the threads it will start, to its part of the cores it may use: the local_rank-th of
/// local_size equal runs of them. For ranks whose launcher gave all of them the same cores.
void take_share_of_cores(int local_rank, int local_size);

/// Cores this rank may use: the process's affinity, divided among the ranks of this machine where they share it.
int cores_per_rank(int local_size);

}  // namespace etude::parallel
