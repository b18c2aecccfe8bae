#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "launch/status.h"

namespace etude::launch {

/// What is to become of a run after its attempts so far.
struct Verdict {
  enum class Next { kStart, kDone, kStop, kFail } next = Next::kStart;
  std::string why;          ///< for kStop, kFail and restarts, in words
  double wait_seconds = 0;  ///< before the next attempt
};

/// Decides about retries; nothing else in the project does. Engines may start a job's supervisor again whenever they
/// like (a dead node, a preemption): it asks here before it starts any rank.
///   - done is done; what the user stopped, or its budget, waits for `etude jobs resume`;
///   - misuse would be misuse again;
///   - two attempts in a row that failed the same way at the same step would do so for ever, and so would two that the
///     time limit ended without a step between them, or six whose ranks never began;
///   - all else is started again, at most `max_restarts` times, after a pause that doubles while nothing is achieved.
/// `begins`: asked by a supervisor that was just started, so that whoever ended the last attempt wants it to go on.
Verdict judge(const std::vector<Attempt>& attempts, std::int64_t max_restarts, bool begins);

}  // namespace etude::launch
