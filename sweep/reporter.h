#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "framework/train/overseer.h"
#include "sweep/desk.h"
#include "sweep/stored_allowance.h"

namespace etude::sweep {

class Client;

/// The trial that a training run is, where the environment says so: ETUDE_SWEEP_CONTROLLER (see find_controller),
/// ETUDE_SWEEP_TRIAL and perhaps ETUDE_SWEEP_UNTIL.
struct TrialOfSweep {
  std::string controller;
  std::int64_t number = 0;
  std::optional<std::int64_t> until;  ///< the step that its controller would end it at, were it there
};
/// Throws UsageError when only one of them is there, or a number is none.
std::optional<TrialOfSweep> trial_of_environment();

/// Tells a sweep's controller how a run does, and hears what is to become of it. Rank 0 has one. While the controller
/// is away the run goes on, as long as its budget lets it; what was measured meanwhile is told later.
class Reporter final : public train::Overseer {
 public:
  /// `metrics`: the run's metrics.jsonl; what it holds is told anew, for the controller may have missed it.
  Reporter(TrialOfSweep trial, const std::filesystem::path& metrics);
  ~Reporter() override;

  train::Word evaluated(std::int64_t step, const std::map<std::string, double>& metrics) override;
  void finished(std::int64_t step) override;
  train::Word word() override;

 private:
  using Clock = std::chrono::steady_clock;

  /// Sends what is untold, or else a sign of life. False when nobody answered.
  bool talk(std::unique_lock<std::mutex>& lock);
  bool tell_the_end(std::unique_lock<std::mutex>& lock, const Measurement& last);
  void hear(const Answer& answer);
  void fall_back();
  void train_until(std::optional<double> time);
  void keep_in_touch(std::stop_token stop);

  const TrialOfSweep trial_;
  const StoredAllowance stored_;
  const double began_;  ///< seconds since 1970, as all times of allowances
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::unique_ptr<Client> client_;     ///< null while nobody answers
  std::vector<Measurement> untold_;    ///< in order of step
  std::vector<Measurement> measured_;  ///< all of them
  bool talking_ = false;
  bool away_ = false;
  bool has_heard_ = false;  ///< from its controller, or else from what that had stored
  std::optional<double> stored_until_;
  std::atomic<Clock::rep> until_ = std::numeric_limits<Clock::rep>::max();  ///< the budget lasts, if nothing is heard
  std::atomic<train::Word> word_ = train::Word::kGoOn;
  std::jthread thread_;
};

}  // namespace etude::sweep
