#include "framework/log/pace.h"

#include <limits>

namespace etude::log {

void Pace::add(std::int64_t done, double seconds) {
  points_.push_back({done, seconds});
  while (points_.size() > 2 && points_[1].seconds <= seconds - window_) points_.pop_front();
}

double Pace::rate() const {
  if (points_.size() < 2) return 0;
  const double elapsed = points_.back().seconds - points_.front().seconds;
  const auto units = static_cast<double>(points_.back().done - points_.front().done);
  return elapsed > 0 && units > 0 ? units / elapsed : 0;
}

double Pace::left(std::int64_t total) const {
  if (!points_.empty() && points_.back().done >= total) return 0;
  const double pace = rate();
  if (pace <= 0) return std::numeric_limits<double>::infinity();
  return static_cast<double>(total - points_.back().done) / pace;
}

}  // namespace etude::log
