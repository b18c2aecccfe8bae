#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "sweep/controller.h"
#include "sweep/spending.h"
#include "sweep/study.h"

namespace etude::sweep {

inline constexpr int kGone = 404, kConflict = 409, kUnfit = 422, kUnavailable = 503;  ///< statuses of a Refusal

/// The conduct of a study: what is known of its trials, who is given which, and what comes of them. All of it under the
/// study's mutex, which the controller takes; conduct.cpp gives trials out, conduct_ends.cpp takes them back.
struct Conduct {
  struct Live {
    Standing standing;
    std::string request;
    double lease_until = std::numeric_limits<double>::infinity();
    double stints_stored = 0;
  };

  Conduct(const SweepFile& sweep, std::unique_ptr<Storage> storage, StudyRecord record, std::function<double()> clock);

  const SweepFile& sweep;
  std::function<double()> clock;
  std::string incarnation;
  std::vector<std::uint64_t> revisions;
  std::uint64_t revision = 0;
  std::vector<std::vector<Stint>> stints;
  Spending spending;
  std::map<std::int64_t, Live> live;
  std::set<std::int64_t> to_resume;  ///< begun, and with no worker
  std::map<std::string, std::int64_t> requests;
  std::unordered_map<std::string, std::int64_t> finished_configurations;
  std::int64_t begun = 0;
  std::set<std::int64_t> waiting;
  std::set<std::int64_t> paused;
  bool stopping = false;
  double wall_before = 0, wall_since = 0, wall_stored = 0;
  std::string sampler_is_through;  ///< why, for good
  std::vector<std::int64_t> best_known;
  bool best_is_stale = true;
  Study study;  // last: its thread ends first

  // ---- what is known ----

  /// Of the study: keeps what follows from a trial up to date.
  void has_changed(const Trial& trial);

  /// The best complete trial, or the Pareto front.
  const std::vector<std::int64_t>& best();

  /// Seconds that controllers have worked on the study.
  double wall(double now) const;

  /// How long every trial that somebody has may go on without a word from here. Those whose job has not begun, or began
  /// just now, count too: nobody may hear of it when they do.
  double allowance(double now) const;

  /// Throws Refusal where there is none.
  const Trial& existing(std::int64_t number) const;

  /// Trials that an earlier controller had given out, or was to give out again.
  void take_over();

  // ---- giving out ----

  /// Why nothing will ever be begun again; empty while something may.
  std::string over();

  std::string exhausted();

  std::optional<std::int64_t> promotable() const;

  /// Which trial is to be worked on next; nothing where none is now.
  std::optional<std::int64_t> choose(const Worker& worker, const std::string& request);

  /// False where what it was enqueued with cannot be; it has failed then.
  bool begin_waiting(std::int64_t number);

  Suggestion suggest(std::int64_t number, const Assignment& fixed, std::uint64_t draw = 0);

  void note(std::int64_t number, const Suggestion& suggestion, bool has_parent);

  std::optional<std::int64_t> begin_new(const Worker& worker, const std::string& request);

  /// This worker has it from now on.
  void hand_to(std::int64_t number, const Worker& worker, const std::string& request);

  Order order(std::int64_t number) const;

  // ---- what comes of them ----

  void store_stints(std::int64_t number, Live& one);

  /// The worker has it no more.
  void release(std::int64_t number);

  /// What its worker is told from now on, and what the study says of it.
  void decide(std::int64_t number, Verdict verdict, const std::string& reason);

  /// As Optuna stores a trial that was pruned; nothing where there is no number.
  std::vector<double> last_value(const Trial& trial) const;

  void fail(std::int64_t number, const std::string& why);

  /// Ends what rests or was interrupted, where nothing will go on.
  void conclude(std::int64_t number, const std::string& why);

  /// To be resumed, or failed where that was done too often.
  void lose(std::int64_t number, const std::string& why);

  /// Ends what runs, where nothing may go on.
  void stop_what_must();

  /// Whether there was any news in it.
  bool take_measurements(std::int64_t number, const std::vector<Measurement>& measurements);

  /// Asks the pruner about its newest report.
  void judge(std::int64_t number);

  void complete(std::int64_t number, const std::map<std::string, double>& metrics);

  /// What its worker says of its end; what was decided before holds.
  void end(std::int64_t number, const Outcome& outcome);

  std::int64_t enqueue(std::map<std::string, Json> system_attributes, const std::string& request);

  void store_wall(double now);
};

}  // namespace etude::sweep
