#pragma once

#include <cstdint>
#include <deque>

namespace etude::log {

/// How fast something goes, judged by its recent past: a slow start (warming caches, compiling kernels) is forgotten.
class Pace {
 public:
  /// Judges by the last `window` seconds, or the last two points where those lie farther apart.
  explicit Pace(double window = 60.0) : window_(window) {}
  /// `done` units stand done at `seconds` on any clock that does not go back.
  void add(std::int64_t done, double seconds);
  /// Units a second; 0 while unknown.
  double rate() const;
  /// Seconds until `total` are done; infinite while unknown.
  double left(std::int64_t total) const;

 private:
  struct Point {
    std::int64_t done;
    double seconds;
  };
  double window_;
  std::deque<Point> points_;
};

}  // namespace etude::log
