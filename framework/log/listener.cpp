#include "framework/log/listener.h"

namespace etude::log {

const char* name_of(State state) {
  switch (state) {
    case State::kFinished:
      return "finished";
    case State::kStopped:
      return "stopped";
    case State::kFailed:
      break;
  }
  return "failed";
}

}  // namespace etude::log
