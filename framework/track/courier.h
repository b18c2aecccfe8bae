#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "framework/log/listener.h"
#include "framework/track/channel.h"

namespace etude::track {

/// How long a courier waits, and how much it carries.
struct Patience {
  std::chrono::milliseconds first_pause{500};  ///< after the first failure; doubles up to the longest
  std::chrono::milliseconds longest_pause{30'000};
  std::size_t most_waiting = 10'000;  ///< messages; beyond that the oldest are dropped
  /// At the end, for what is still to be told: to a tracker that answers, and to one that last did not.
  std::chrono::milliseconds farewell{10'000};
  std::chrono::milliseconds farewell_to_absent{2'000};
};

/// Carries what a run says to a tracker, on a thread of its own: training never waits for it, whatever becomes of the
/// tracker, until the run is over, and then not for long. It says once that a tracker does not answer, and at the end
/// how much of what was measured was never told.
class Courier final : public log::Listener {
 public:
  using Say = std::function<void(const std::string&)>;

  /// `name`: the option that asked for it, such as "track.mlflow". `warn` may be called from another thread.
  Courier(std::string name, std::unique_ptr<Channel> channel, Say warn, Patience patience = {});
  ~Courier() override;

  void begin(const log::RunFacts& facts) override;
  void step(const log::Figures& figures) override { put({Message::Kind::kStep, figures}); }
  void evaluation(const log::Figures& figures, const nlohmann::json&) override {
    put({Message::Kind::kEvaluation, figures});
  }
  void end(log::State state) override;

 private:
  using Clock = std::chrono::steady_clock;
  struct Farewell {
    log::State state = log::State::kFailed;
    double time = 0;
  };

  void put(Message message);
  void drop_what_is_too_much();
  void work(std::stop_token stop);
  /// Does the next thing that is to be done, without the lock. False when nothing is.
  bool advance(std::unique_lock<std::mutex>& lock);
  void deliver(std::unique_lock<std::mutex>& lock, std::vector<Message> messages);
  /// Says what is the matter, the first time.
  void note_trouble(const std::string& what);
  void report_losses() const;

  const std::string name_;
  const std::unique_ptr<Channel> channel_;
  const Say warn_;
  const Patience patience_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<log::RunFacts> facts_;
  std::optional<Farewell> farewell_;
  std::deque<Message> waiting_;
  bool introduced_ = false;  ///< begin() went well
  bool unwanted_ = false;    ///< it was refused: nothing will be told
  bool over_ = false;        ///< end() went well, or was refused
  bool away_ = false;        ///< the last attempt failed
  bool gone_ = false;        ///< the thread has done its last
  bool troubled_ = false;    ///< that something is the matter has been said; for the thread alone
  std::chrono::milliseconds pause_{0};
  Clock::time_point next_try_{};
  std::int64_t measured_ = 0, lost_ = 0;  ///< messages
  std::jthread thread_;
};

}  // namespace etude::track
