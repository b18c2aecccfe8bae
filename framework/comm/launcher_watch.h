#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include <sys/types.h>

namespace etude::comm {

/// Ends this process when the launcher that started it (mpirun, or its daemon on this machine) is gone: nobody would
/// collect the rank or let it talk, and it would go on using the cores. A process that no launcher started may outlive
/// its parent; there this does nothing.
class LauncherWatch {
 public:
  /// `gone` is called from a thread of its own, once.
  explicit LauncherWatch(std::function<void()> gone);
  ~LauncherWatch();
  LauncherWatch(const LauncherWatch&) = delete;
  LauncherWatch& operator=(const LauncherWatch&) = delete;

 private:
  void run();

  const std::function<void()> gone_;
  const pid_t launcher_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool leave_ = false;
  std::thread thread_;
};

}  // namespace etude::comm
