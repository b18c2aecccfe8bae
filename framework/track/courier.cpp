#include "framework/track/courier.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>

namespace etude::track {
namespace {

using namespace std::chrono_literals;

/// Signals are for the program's own threads. SIGPIPE too is held back: a tracker that hangs up ends no training.
void hold_signals_back() {
  sigset_t signals;
  sigfillset(&signals);
  for (const int kept : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) sigdelset(&signals, kept);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  pthread_setname_np(pthread_self(), "tracker");
}

enum class Outcome { kTaken, kAway, kRefused };

}  // namespace

Courier::Courier(std::string name, std::unique_ptr<Channel> channel, Say warn, Patience patience)
    : name_(std::move(name)), channel_(std::move(channel)), warn_(std::move(warn)), patience_(patience) {}

Courier::~Courier() { end(log::State::kFailed); }

void Courier::begin(const log::RunFacts& facts) {
  facts_ = facts;
  thread_ = std::jthread([this](std::stop_token stop) { work(std::move(stop)); });
}

void Courier::put(Message message) {
  {
    const std::lock_guard lock(mutex_);
    ++measured_;
    if (unwanted_) {
      ++lost_;
      return;
    }
    waiting_.push_back(std::move(message));
    drop_what_is_too_much();
  }
  changed_.notify_all();
}

void Courier::drop_what_is_too_much() {
  for (; waiting_.size() > patience_.most_waiting; waiting_.pop_front()) ++lost_;
}

void Courier::end(log::State state) {
  if (!thread_.joinable()) return;
  std::unique_lock lock(mutex_);
  farewell_ = Farewell{state, log::seconds_since_1970()};
  next_try_ = {};  // one that was away is tried once more at once
  const auto until = Clock::now() + (away_ ? patience_.farewell_to_absent : patience_.farewell);
  changed_.notify_all();
  changed_.wait_until(lock, until, [&] { return over_ || unwanted_; });
  thread_.request_stop();
  while (!changed_.wait_for(lock, 50ms, [&] { return gone_; })) channel_->interrupt();
  lost_ += std::ssize(waiting_);
  waiting_.clear();
  lock.unlock();
  thread_.join();
  report_losses();
}

void Courier::report_losses() const {
  if (lost_ > 0) {
    warn_(fmt::format("{}: {} of {} messages with figures were not told; metrics.jsonl has them all", name_, lost_,
                      measured_));
  }
}

void Courier::work(std::stop_token stop) {
  hold_signals_back();
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (Clock::now() < next_try_) {
      const auto later = next_try_;
      changed_.wait_until(lock, stop, later, [&] { return next_try_ != later; });
    } else if (!advance(lock)) {
      changed_.wait(lock, stop, [&] { return !waiting_.empty() || (farewell_ && !over_ && !unwanted_); });
    }
  }
  gone_ = true;
  changed_.notify_all();
}

bool Courier::advance(std::unique_lock<std::mutex>& lock) {
  if (unwanted_ || over_) return false;
  if (introduced_ && waiting_.empty() && !farewell_) return false;
  std::vector<Message> messages;
  if (introduced_) {
    const auto most = std::min(channel_->most_at_once(), waiting_.size());
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(most);
    messages.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
  }
  deliver(lock, std::move(messages));
  return true;
}

void Courier::deliver(std::unique_lock<std::mutex>& lock, std::vector<Message> messages) {
  const bool introducing = !introduced_, leaving = introduced_ && messages.empty();
  const Farewell farewell = farewell_.value_or(Farewell{});
  lock.unlock();
  Outcome outcome = Outcome::kTaken;
  try {
    if (introducing) channel_->begin(*facts_);
    if (!introducing && !leaving) channel_->tell(messages);
    if (leaving) channel_->end(farewell.state, farewell.time);
  } catch (const Away& error) {
    outcome = Outcome::kAway;
    note_trouble(fmt::format("{}; training goes on, and what is measured is told later", error.what()));
  } catch (const std::exception& error) {  // Refused, or a disk that does not take track.json
    outcome = Outcome::kRefused;
    note_trouble(fmt::format("{}; training goes on, and {} is not told", error.what(),
                             introducing ? "nothing of this run" : "this"));
  }
  lock.lock();
  away_ = outcome == Outcome::kAway;
  if (away_) {
    pause_ = std::clamp(2 * pause_, patience_.first_pause, patience_.longest_pause);
    next_try_ = Clock::now() + pause_;
    waiting_.insert(waiting_.begin(), std::make_move_iterator(messages.begin()),
                    std::make_move_iterator(messages.end()));
    drop_what_is_too_much();
    return;
  }
  pause_ = 0ms;
  introduced_ = introduced_ || outcome == Outcome::kTaken;
  unwanted_ = !introduced_;
  over_ = leaving;
  if (outcome == Outcome::kRefused) lost_ += std::ssize(messages);
  if (unwanted_) {
    lost_ += std::ssize(waiting_);
    waiting_.clear();
  }
  changed_.notify_all();
}

void Courier::note_trouble(const std::string& what) {
  if (!std::exchange(troubled_, true)) warn_(fmt::format("{}: {}", name_, what));
}

}  // namespace etude::track
