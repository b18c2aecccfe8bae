#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace etude::launch {

/// Cores and GPUs of this machine that a job has for itself among all jobs that were launched here, so that several at
/// once do not oversubscribe it. Each is a lock on a file, which the ranks inherit: it is free when the last of them
/// has ended, however they ended.
class CoreLedger {
 public:
  /// What this process may use: its affinity, and /dev/nvidia*.
  static std::vector<int> all_cores();
  static std::int64_t all_gpus();

  /// Takes so many, at most all there are. Waits until they are free, asking `go_on` now and then; jobs that wait are
  /// served one after the other. Returns false when `go_on` did. Throws Error when the locks cannot be made.
  bool take(std::int64_t cores, std::int64_t gpus, const std::function<bool()>& go_on);

  const std::vector<int>& cores() const { return cores_; }
  const std::vector<int>& gpus() const { return gpus_; }

 private:
  std::vector<int> cores_, gpus_;
};

}  // namespace etude::launch
