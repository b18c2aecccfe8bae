#include "framework/comm/launcher_watch.h"

#include <chrono>
#include <cstdlib>

#include <unistd.h>

#include "framework/comm/rank_discovery.h"
#include "framework/comm/thread_signals.h"

namespace etude::comm {
namespace {

// Asking costs a microsecond.
constexpr auto kLook = std::chrono::milliseconds(300);

}  // namespace

LauncherWatch::LauncherWatch(std::function<void()> gone) : gone_(std::move(gone)), launcher_(::getppid()) {
  if (has_mpi_launcher([](const char* name) { return std::getenv(name); })) thread_ = std::thread([this] { run(); });
}

LauncherWatch::~LauncherWatch() {
  {
    const std::lock_guard lock(mutex_);
    leave_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

/// PR_SET_PDEATHSIG would need no thread, but it goes by the thread that forked, and launchers fork from helper threads
/// that end long before they do.
void LauncherWatch::run() {
  be_a_helper_thread("launcher watch");
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kLook, [this] { return leave_; })) {
    if (::getppid() != launcher_) return gone_();
  }
}

}  // namespace etude::comm
