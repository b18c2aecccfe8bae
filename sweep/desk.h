#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/error.h"
#include "sweep/storage/storage.h"
#include "sweep/sweep_file.h"

namespace etude::sweep {

/// What was asked of the controller cannot be done now; `status` is HTTP's: 404 no such trial, 409 it is over already,
/// 422 values that are none of the search space, 503 the storage does not take it (disk full) and the same may be asked
/// again.
class Refusal : public Error {
 public:
  Refusal(int status, const std::string& what) : Error(what), status_(status) {}
  int status() const { return status_; }

 private:
  int status_;
};

/// What a worker says of itself, for the time line and the budget.
struct Worker {
  std::string name;  ///< "node3:4711"; free text
  std::string host;
  double nodes = 1, cores = 1, gpus = 0;  ///< that one trial occupies
  double price = 0;                       ///< of all that, for an hour
  bool launched = false;  ///< its job is looked after by whoever asked, so that there is no lease and stints are noted
};

/// A trial given to a worker.
struct Order {
  std::int64_t number = -1;
  std::map<std::string, Json> parameters;  ///< external values
  std::optional<std::int64_t> parent;      ///< go on from the checkpoint of that trial
  std::optional<std::int64_t> resumed_at;  ///< this very trial was begun before: its last report's step
  std::optional<std::int64_t> until;  ///< the step at which it has done what it was to do, where it is known before
  double lease = 0;                   ///< seconds within which it must say something
  double allowance = -1;              ///< as in Answer
};

/// What a worker says on its way: any metrics, among them the objectives'.
struct Measurement {
  std::int64_t step = 0;
  std::map<std::string, double> metrics;
};

/// What a worker is told in turn.
struct Answer {
  /// The trial's fate: kContinue, or how it is to end. It has to write a checkpoint at this step boundary, and stop.
  Verdict verdict = Verdict::kContinue;
  std::string reason;
  /// Seconds it may go on without hearing from the controller, so that budgets hold while there is none; negative for
  /// no bound.
  double allowance = -1;
};

/// How a trial ended.
struct Outcome {
  TrialState state = TrialState::kComplete;  ///< kComplete, kPruned or kFail
  std::map<std::string, double> metrics;     ///< the objectives', where it is complete
  std::string reason;                        ///< where it failed
};

/// One time that somebody worked on a trial; what it occupied counts against the budget.
struct Stint {
  Worker worker;
  double began = 0;  ///< seconds since 1970
  double ended = 0;  ///< the last sign of life while `open`
  bool open = false;
};

struct Spent {
  std::int64_t trials = 0;
  double wall = 0;
  double gpu_hours = 0, core_hours = 0, cost = 0;
};

/// All that may be shown, as it is at one moment.
struct View {
  const SweepFile& sweep;
  const StudyRecord& study;
  const std::vector<Trial>& trials;
  const std::vector<std::vector<Stint>>& stints;  ///< of each trial
  const std::vector<std::uint64_t>& revisions;    ///< of each trial: when it last changed
  std::uint64_t revision = 0;                     ///< the newest of them
  std::string incarnation;                        ///< another after each start: revisions begin anew
  Spent spent;
  std::string over;                ///< why nothing new is begun: "budget: 100 trials"; empty while the sweep goes on
  std::vector<std::int64_t> best;  ///< the best complete trial, or the Pareto front; empty without any
  double now = 0;
};

/// Where workers and people turn to with a running study. The server speaks for one, and a test may be one. Safe to be
/// called from many threads; whatever it has answered to is in the storage.
class Desk {
 public:
  virtual ~Desk() = default;

  /// A trial for this worker: one that is to be retried, was enqueued or promoted, else a new one. `request` is the
  /// asker's own word for this question: asked again, it is answered with the same trial. Nothing where none is to be
  /// begun now; `over` in the view says whether ever.
  virtual std::optional<Order> ask(const Worker& worker, const std::string& request) = 0;
  /// What is known already changes nothing. An empty list is a heartbeat.
  virtual Answer report(std::int64_t number, const std::vector<Measurement>& measurements) = 0;
  /// Said twice, the first holds. A paused or retried trial is told of here as well: what counts is what the controller
  /// had decided.
  virtual void tell(std::int64_t number, const Outcome& outcome) = 0;

  // ---- by hand ----
  /// A configuration to be tried before others: external values of some parameters. Returns the trial's number.
  virtual std::int64_t enqueue(const std::map<std::string, Json>& values, const std::string& request) = 0;
  /// A failed or pruned trial once more, from its checkpoint where it has one: as a new trial. Returns its number.
  virtual std::int64_t retry(std::int64_t number, const std::string& request) = 0;
  /// A running trial is to end, pruned.
  virtual void prune(std::int64_t number) = 0;
  /// Nothing new is begun, and what runs is stopped with a checkpoint, to go on when the sweep is run again.
  virtual void stop() = 0;

  /// Calls `look` with everything held still.
  virtual void view(const std::function<void(const View&)>& look) = 0;
};

}  // namespace etude::sweep
