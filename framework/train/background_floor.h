#pragma once

#include <atomic>
#include <thread>

#include "data/shard/pack.h"
#include "framework/run/run_folder.h"
#include "framework/train/run_log.h"

namespace etude::train {

/// Finds what an n-gram model reaches on the pack's validation split (analysis::Floor) while a run trains, on a thread
/// that takes what others leave of the processor; writes it to the run's floor.json and says it once. Does nothing
/// where the split is empty, or the file is there already for this pack. What goes wrong is a warning: the run goes on.
class BackgroundFloor {
 public:
  /// All three must outlive it.
  BackgroundFloor(const data::Pack& pack, const run::RunFolder& folder, RunLog& log);
  /// Gives it a last second, and then calls it off.
  ~BackgroundFloor();
  BackgroundFloor(const BackgroundFloor&) = delete;
  BackgroundFloor& operator=(const BackgroundFloor&) = delete;

  bool working() const { return thread_.joinable() && !done_; }

 private:
  void work(const data::Pack& pack, const run::RunFolder& folder, RunLog& log);

  std::atomic<bool> called_off_ = false;
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

}  // namespace etude::train
