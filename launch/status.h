#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "launch/cluster.h"

namespace etude::launch {

/// Why an attempt to train ended.
enum class Cause {
  kOpen,         ///< it has not
  kLost,         ///< its supervisor vanished with it: the node died, or the engine killed everything
  kDone,         ///< trained to the end
  kAsked,        ///< the user asked for it to stop
  kBudget,       ///< --max-hours or --max-cost
  kTimeLimit,    ///< the engine's time limit was near
  kTerminated,   ///< the engine ended it: scancel, preemption, a drained node
  kInterrupted,  ///< it asked to be resumed by itself (exit code 75): a rank that did not come, train.time_limit
  kKilled,       ///< by a signal: out of memory, a rank that died
  kFailed,       ///< exit code 1, or another that means nothing here
  kMisuse,       ///< exit code 2: it would say the same again
};
std::string in_words(Cause cause);

/// One time that the ranks of a run were started.
struct Attempt {
  double began = 0;  ///< seconds since 1970
  double ended = 0;  ///< the last sign of life while it is open
  std::int64_t nodes = 1;
  std::int64_t ranks = 1;
  std::string token;            ///< of the job that it was an attempt of; a resumed run is another job
  std::int64_t first_step = 0;  ///< done when it began
  std::int64_t last_step = 0;   ///< done when it ended
  bool trained = false;         ///< whether the ranks came so far as to write into the run folder
  Cause cause = Cause::kOpen;
  int code = 0;  ///< exit code of what started the ranks

  double hours() const { return (ended - began) / 3600; }
};

/// What a run has used, over all attempts.
struct Usage {
  double hours = 0;
  double node_hours = 0;
  double core_hours = 0;
  double gpu_hours = 0;
  double cost = 0;
};

/// How far a run is, by its metrics.jsonl.
struct Progress {
  std::int64_t step = 0;
  std::int64_t steps = 0;  ///< 0 while unknown
  std::optional<double> loss;
  std::optional<double> eval_loss;
  double tokens_per_second = 0;
  double seconds_left = -1;  ///< negative while unknown
};
/// Looks at the end of the file only. A file that is not there is no progress.
Progress read_progress(const std::filesystem::path& metrics);

enum class State {
  kQueued,   ///< submitted; its supervisor has not begun
  kWaiting,  ///< for cores, or for the next attempt
  kRunning,
  kStopping,  ///< a checkpoint is being written
  kDone,
  kStopped,  ///< to be resumed by the user
  kFailed,
  kRequeued,  ///< given back to the engine, which will start it again
  kEnded,     ///< its engine has no more of it, though it said nothing of an end; never in a file
};
std::string in_words(State state);
bool is_over(State state);

/// What a supervisor knows of its job: status.json in the job's folder, written anew every few seconds.
struct Status {
  State state = State::kQueued;
  std::string words;  ///< why: "restarts after 4 s: a rank died (exit code 137)"
  double updated = 0;
  std::string host;  ///< where the supervisor runs
  std::vector<Attempt> attempts;
  Progress progress;
  Usage usage;
  std::string currency;
};
Usage usage_of(const std::vector<Attempt>& attempts, const Cluster& cluster, std::int64_t cores_per_node);

/// The money, or where no price is known the hours: "12.30 USD", "3.5 GPU-hours".
std::string cost_in_words(const Status& status);

void save(const Status& status, const std::filesystem::path& folder);
/// Nothing where there is none yet. Throws Error for one that is damaged.
std::optional<Status> load_status(const std::filesystem::path& folder);
/// One line of JSON, as it stands in the file and in logs.
std::string to_json(const Status& status);
Status status_from_json(const std::string& json);

/// Seconds since 1970, and as "2026-01-31T12:00:00Z".
double now();
std::string utc(double seconds);

}  // namespace etude::launch
