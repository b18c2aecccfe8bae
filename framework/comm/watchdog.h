#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "framework/comm/communicator.h"
#include "framework/comm/flight_recorder.h"
#include "framework/comm/mailbox.h"
#include "framework/comm/patience.h"

namespace etude::comm {

/// Notices when a collective is not done in time. Then all ranks that still can tell each other where they stand; each
/// says who is missing, writes what it knows into the fault folder, and ends. One that has not waited so long itself
/// learns of it from the others' letters.
///
/// It has a thread of its own, which makes no call to MPI: it works when MPI, the computation or the disk is stuck.
class Watchdog {
 public:
  /// `end` ends this rank, and the others; it does not return. Recorder and mailbox must outlive the watchdog.
  Watchdog(int rank, int size, const FlightRecorder& recorder, Mailbox& mailbox, Deadline deadline,
           std::function<void(int code)> end);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  using Standings = std::vector<std::optional<Standing>>;

  void run();
  bool take_letters();
  void raise_alarm();
  void wait_for_letters(const std::vector<std::size_t>& expected, const std::function<bool(const Standing&)>& enough);
  std::string finding() const;
  Standing own_standing() const;
  std::string report(const std::string& verdict) const;

  const int rank_;
  const FlightRecorder& recorder_;
  Mailbox& mailbox_;
  const Deadline deadline_;
  const std::function<void(int code)> end_;

  // The thread's own.
  Patience patience_;
  Standings standings_;  ///< by rank; none of a rank that has not answered

  std::mutex mutex_;
  std::condition_variable changed_;
  bool leave_ = false;
  std::thread thread_;
};

/// Who is to blame, in words, from what the ranks told; at least one has.
std::string verdict(const std::vector<std::optional<Standing>>& standings);

}  // namespace etude::comm
