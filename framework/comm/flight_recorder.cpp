#include "framework/comm/flight_recorder.h"

#include <algorithm>

#include <fmt/format.h>

#include "framework/comm/communicator.h"

namespace etude::comm {
namespace {

thread_local std::string label_of_this_thread;

}  // namespace

Label::Label(std::string text) : before_(std::move(label_of_this_thread)) { label_of_this_thread = std::move(text); }
Label::~Label() { label_of_this_thread = std::move(before_); }

std::string Flight::text() const {
  std::string where = step > 0 ? fmt::format("step {}", step) : "before the first step";
  if (!label.empty()) where += ", " + label;
  return fmt::format("{} ({})", request.text(), where);
}

void FlightRecorder::describe(std::int64_t step, const char* doing) {
  const std::lock_guard lock(mutex_);
  step_ = step;
  doing_ = doing;
}

std::int64_t FlightRecorder::posted(const Request& request) {
  const std::lock_guard lock(mutex_);
  flights_.push_back({++posted_, request, step_, label_of_this_thread, Flight::Clock::now(), std::nullopt});
  forget_old();
  return posted_;
}

void FlightRecorder::done(std::int64_t number) {
  const std::lock_guard lock(mutex_);
  // What is not done is never forgotten, so it is here.
  flights_[static_cast<std::size_t>(number - flights_.front().number)].done = Flight::Clock::now();
  forget_old();
}

void FlightRecorder::forget_old() {
  while (flights_.size() > capacity_ && flights_.front().done) flights_.pop_front();
}

Position FlightRecorder::position() const {
  const std::lock_guard lock(mutex_);
  Position now{step_, doing_, posted_, std::nullopt};
  const auto oldest = std::find_if(flights_.begin(), flights_.end(), [](const Flight& flight) { return !flight.done; });
  if (oldest != flights_.end()) now.oldest = *oldest;
  return now;
}

std::vector<Flight> FlightRecorder::flights() const {
  const std::lock_guard lock(mutex_);
  return {flights_.begin(), flights_.end()};
}

}  // namespace etude::comm
