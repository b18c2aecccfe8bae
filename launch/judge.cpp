#include "launch/judge.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace etude::launch {
namespace {

constexpr double kFirstPause = 1, kLongestPause = 300;
/// Attempts in a row whose ranks never began: longer than it takes a scheduler to notice that a node is dead.
constexpr std::size_t kMostThatNeverBegan = 6;

bool failed(const Attempt& attempt) {
  return attempt.cause == Cause::kFailed || attempt.cause == Cause::kKilled || attempt.cause == Cause::kInterrupted;
}

/// An attempt whose ranks never began says nothing about the run: a node may be unreachable still.
bool failed_the_same_way(const Attempt& a, const Attempt& b) {
  return failed(a) && a.trained && b.trained && a.cause == b.cause && a.code == b.code && a.last_step == b.last_step;
}

bool no_step_within_the_limit(const Attempt& a, const Attempt& b) {
  return a.cause == Cause::kTimeLimit && b.cause == Cause::kTimeLimit && a.last_step == b.last_step;
}

bool never_begins(const std::vector<Attempt>& attempts) {
  if (attempts.size() < kMostThatNeverBegan) return false;
  return std::all_of(attempts.end() - kMostThatNeverBegan, attempts.end(),
                     [](const Attempt& attempt) { return failed(attempt) && !attempt.trained; });
}

std::string described(const Attempt& attempt) {
  const std::string at = fmt::format("at step {}", attempt.last_step);
  if (attempt.cause == Cause::kLost || attempt.cause == Cause::kTimeLimit || attempt.cause == Cause::kTerminated) {
    return fmt::format("{} ({})", in_words(attempt.cause), at);
  }
  return fmt::format("{} (exit code {}, {})", in_words(attempt.cause), attempt.code, at);
}

/// How many attempts at the end achieved nothing and were no one's wish.
int in_vain(const std::vector<Attempt>& attempts) {
  int count = 0;
  for (auto attempt = attempts.rbegin(); attempt != attempts.rend(); ++attempt, ++count) {
    if (!failed(*attempt) && attempt->cause != Cause::kLost) break;
    if (attempt->last_step > attempt->first_step) return count + 1;  // the pause begins anew after progress
  }
  return count;
}

}  // namespace

Verdict judge(const std::vector<Attempt>& attempts, std::int64_t max_restarts, bool begins) {
  using Next = Verdict::Next;
  if (attempts.empty()) return {};
  const Attempt& last = attempts.back();
  switch (last.cause) {
    case Cause::kDone:
      return {Next::kDone, "", 0};
    case Cause::kAsked:
    case Cause::kBudget:
      return {Next::kStop, in_words(last.cause), 0};
    case Cause::kMisuse:
      return {Next::kFail, fmt::format("{} (exit code 2)", in_words(last.cause)), 0};
    case Cause::kTerminated:
      if (!begins) return {Next::kStop, in_words(last.cause), 0};
      break;
    default:
      break;
  }
  if (attempts.size() >= 2) {
    const Attempt& before = attempts[attempts.size() - 2];
    if (failed_the_same_way(before, last)) {
      return {Next::kFail, fmt::format("twice the same: {}", described(last)), 0};
    }
    if (no_step_within_the_limit(before, last)) {
      return {Next::kFail,
              fmt::format("twice no step was done before the time limit (step {}); it needs a longer time or a shorter "
                          "warning",
                          last.last_step),
              0};
    }
  }
  if (never_begins(attempts)) {
    return {Next::kFail, fmt::format("{} times the ranks did not even begin: {}", kMostThatNeverBegan, described(last)),
            0};
  }
  if (static_cast<std::int64_t>(attempts.size()) > max_restarts) {
    return {Next::kFail, fmt::format("max_restarts ({}) are used up; last: {}", max_restarts, described(last)), 0};
  }
  const int vain = in_vain(attempts);
  const double pause = vain == 0 ? 0 : std::min(kLongestPause, kFirstPause * std::exp2(vain - 1));
  return {Next::kStart, described(last), pause};
}

}  // namespace etude::launch
