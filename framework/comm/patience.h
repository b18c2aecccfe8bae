#pragma once

#include <chrono>
#include <cstdint>

#include "framework/comm/flight_recorder.h"

namespace etude::comm {

/// For how long the oldest collective under way has been waited for, found by looking again and again. A process that
/// was stopped as a whole, as schedulers do to make room for another, was not waiting meanwhile.
class Patience {
 public:
  using Seconds = std::chrono::duration<double>;

  /// Looks, so long after the look before.
  void look(const FlightRecorder& recorder, std::chrono::steady_clock::duration passed);

  Seconds waited() const { return waited_; }
  /// The longest time meanwhile in which this process did not run; 0 when it always did.
  Seconds absent() const { return absent_; }
  /// Whether it was waited for longer than this; never with 0.
  bool is_over(double seconds) const { return seconds > 0 && waited_.count() > seconds; }

 private:
  std::int64_t waiting_for_ = 0;  ///< number of the collective
  Seconds waited_{0};
  Seconds absent_{0};
};

}  // namespace etude::comm
