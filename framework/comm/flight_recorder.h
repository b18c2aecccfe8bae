#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "framework/comm/arguments.h"

namespace etude::comm {

/// A collective as the flight recorder remembers it.
struct Flight {
  using Clock = std::chrono::steady_clock;

  std::int64_t number = 0;  ///< counted from 1; ranks post in one order, so it means the same collective on all
  Request request;
  std::int64_t step = 0;  ///< the one being made when it was posted; 0 before the first
  std::string label;      ///< what Label said then: "bucket 3"
  Clock::time_point posted{};
  std::optional<Clock::time_point> done;

  /// "all_to_all of 1024 Float values (step 41, bucket 3)"
  std::string text() const;
};

/// Where a rank stands, in short.
struct Position {
  std::int64_t step = 0;
  const char* doing = "starting";
  std::int64_t posted = 0;       ///< how many collectives so far
  std::optional<Flight> oldest;  ///< of those that are not done
};

/// Remembers what a rank is doing and the last collectives that it took part in, for whoever must find out afterwards
/// why it went no further. Thread-safe; costs less than a microsecond a collective.
class FlightRecorder {
 public:
  /// Keeps the last `capacity` collectives, and all that are not done.
  explicit FlightRecorder(std::size_t capacity = 100) : capacity_(capacity) {}

  /// `doing` is a literal: "computing".
  void describe(std::int64_t step, const char* doing);
  /// Gives the number of the collective; labelled with the calling thread's Label.
  std::int64_t posted(const Request& request);
  void done(std::int64_t number);

  Position position() const;
  /// From the oldest to the newest.
  std::vector<Flight> flights() const;

 private:
  void forget_old();

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::deque<Flight> flights_;
  std::int64_t posted_ = 0;
  std::int64_t step_ = 0;
  const char* doing_ = "starting";
};

}  // namespace etude::comm
