#pragma once

#include <chrono>
#include <string>

namespace etude::train {

/// Wishes from outside that a run ends soon, with a checkpoint: SIGTERM, SIGINT, SIGUSR1, or a time limit. While this
/// lives these signals are only noted; a third SIGINT ends the process at once.
class Interruption {
 public:
  /// `time_limit` in seconds, 0 for none; counted from now.
  explicit Interruption(double time_limit);
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  /// The signal that came, 0 for none.
  int signal() const;
  bool out_of_time() const;

 private:
  double time_limit_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// "SIGTERM".
std::string signal_name(int signal);

}  // namespace etude::train
