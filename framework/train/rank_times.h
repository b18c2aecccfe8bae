#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "framework/comm/communicator.h"

namespace etude::train {

/// How long the ranks computed in a step, without waiting for one another: seconds, averaged since the last report.
struct RankSeconds {
  double min = 0;
  double median = 0;
  double max = 0;
  int slowest = 0;  ///< the rank
};

/// Measures this rank's computing and compares it with that of the others.
class RankTimes {
 public:
  /// `rounds`: how many grains this rank computes one after the other, so that one with more of them is not called
  /// slow.
  explicit RankTimes(std::int64_t rounds) : rounds_(static_cast<double>(rounds)) {}

  /// Around the computing of a step.
  void start() { started_ = Clock::now(); }
  void stop() { add(Clock::now() - started_); }
  void add(std::chrono::duration<double> computing);

  /// The ranks tell each other their times since the last call. Every rank calls it at the same step.
  RankSeconds gather(comm::Communicator& communicator);

  /// After gather(): something to tell, once per change: that a rank is clearly slower than the others and stays so, or
  /// no longer is.
  std::optional<std::string> news();

  /// Which rank takes more than 1.3 times the median of all others, given each one's seconds a round; -1 for none.
  static int straggler(const std::vector<double>& seconds);

 private:
  using Clock = std::chrono::steady_clock;

  const double rounds_;
  Clock::time_point started_;
  std::chrono::duration<double> computing_{0};
  std::int64_t steps_ = 0;
  double seconds_ = 0;  ///< a step, as it was last reported

  std::vector<double> per_round_;  ///< by rank, of the last report
  int suspect_ = -1;               ///< the straggler of the last reports
  std::int64_t suspected_reports_ = 0, suspected_steps_ = 0;
  int told_ = -1;
};

}  // namespace etude::train
