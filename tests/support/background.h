#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace etude::testing {

/// A command that runs while the test goes on. Leads a process group, so that all it started can be signalled at once.
class Background {
 public:
  /// What it says goes into the file `output`.
  explicit Background(const std::string& command, const std::string& output = "/dev/null") : pid_(fork()) {
    if (pid_ == 0) {
      setpgid(0, 0);
      execl("/bin/sh", "sh", "-c", ("exec " + command + " >" + output + " 2>&1 </dev/null").c_str(), nullptr);
      _exit(127);
    }
    setpgid(pid_, pid_);
  }
  ~Background() {
    if (!waited_) {
      signal_all(SIGKILL);
      wait();
    }
  }
  pid_t pid() const { return pid_; }
  void signal_all(int signal) const { kill(-pid_, signal); }
  void signal_first(int signal) const { kill(pid_, signal); }
  bool running() {
    if (waited_) return false;
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == 0) return true;
    take(status);
    return false;
  }
  /// The exit code; 128 + N when signal N ended it.
  int wait() {
    int status = 0;
    if (!waited_ && waitpid(pid_, &status, 0) == pid_) take(status);
    return code_;
  }

 private:
  void take(int status) {
    waited_ = true;
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  pid_t pid_;
  bool waited_ = false;
  int code_ = -1;
};

/// Waits until `condition` holds, at most two minutes; returns whether it came to hold.
inline bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (std::chrono::steady_clock::now() < deadline) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

}  // namespace etude::testing
