#include "framework/comm/patience.h"

#include <algorithm>
#include <optional>

namespace etude::comm {
namespace {

constexpr Patience::Seconds kLongestLook{1};

}  // namespace

void Patience::look(const FlightRecorder& recorder, std::chrono::steady_clock::duration passed) {
  const std::optional<Flight> oldest = recorder.position().oldest;
  const std::int64_t number = oldest ? oldest->number : 0;
  if (number != waiting_for_) {
    waited_ = absent_ = Seconds(0);
  } else if (number != 0) {
    waited_ += std::min<Seconds>(passed, kLongestLook);
  }
  if (passed > kLongestLook) absent_ = std::max<Seconds>(absent_, passed);
  waiting_for_ = number;
}

}  // namespace etude::comm
