#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/options.h"

namespace etude::launch {

struct Cluster;
struct Job;
struct Status;

/// What an engine says of a job it was given.
enum class Phase {
  kQueued,   ///< waiting for its turn, or its nodes are being made ready
  kRunning,  ///< it has its nodes
  kEnded,    ///< the engine is through with it, well or badly
  kAbsent,   ///< the engine answers, and knows nothing of it
  kUnknown,  ///< the engine did not answer: the job may be well
};

struct EngineState {
  Phase phase = Phase::kUnknown;
  std::string words;  ///< the engine's own: "PENDING (Resources)", "cannot reach the controller"
};

/// One thing `etude launch doctor` looked at.
struct Finding {
  bool good = true;
  std::string what;     ///< "mpirun: Open MPI 4.1.4"
  std::string way_out;  ///< what to do where it is not good
};

/// Several runs submitted as one, in the order of their indices; mostly just one.
using Jobs = std::vector<Job*>;

/// What places jobs on machines: one implementation a file, and nothing that belongs to one of them elsewhere. Commands
/// of the engine are run without a shell; what they print on failure is part of the Error.
class Engine {
 public:
  virtual ~Engine() = default;

  /// Its own keys of a cluster file, beside those of Cluster, bound to its own fields.
  virtual void describe(config::Section& section) = 0;

  /// Throws UsageError for what no single key can see.
  virtual void check(const Cluster&) const {}

  /// Corrects Job's `run`, `order`, `program` and `supervisor`, which name what this machine sees, to what the nodes
  /// see where that is something else. Called before the job's files are written.
  virtual void place(const Cluster&, Job&) const {}

  /// Fills in what the cluster file leaves to the engine, such as how many ranks make sense here, and makes paths of
  /// this machine absolute.
  virtual void settle(Cluster&) {}

  /// What is submitted, for people and `--print`: a job script or a manifest, from start to end.
  virtual std::string script(const Cluster& cluster, const Jobs& jobs) const = 0;

  /// Hands the jobs over and sets each one's `id`. Job::folder holds all its files already, the script among them as
  /// `script_file(jobs)`. Throws UsageError with the engine's words for what it refuses, Error when it cannot be asked.
  virtual void submit(const Cluster& cluster, const Jobs& jobs) = 0;

  /// The id under which the engine holds the job of this token, for a launcher that was killed while it submitted;
  /// nothing when there is none. Throws Error when the engine does not answer.
  virtual std::optional<std::string> find(const Job& job) = 0;

  /// Never throws for an engine that does not answer: that is Phase::kUnknown.
  virtual EngineState state(const Job& job) = 0;

  /// Takes a job out of the queue, or ends it the hard way. Throws Error.
  virtual void cancel(const Job& job) = 0;

  /// Asks a running job to write a checkpoint and end. By default a file in the job's folder, where its supervisor
  /// looks.
  virtual void ask_to_stop(const Job& job);

  /// Everything the job has printed so far. By default the file Job::output.
  virtual std::string logs(const Job& job);

  /// What its supervisor last said. By default the file in the job's folder; otherwise the last line of its logs that
  /// begins with "etude-status ". Nothing where the engine does not answer; throws Error for a file that is damaged.
  virtual std::optional<Status> status(const Job& job);

  /// Whether the job's folder is seen by its nodes and by the machine that launches.
  virtual bool shares_files() const { return true; }

  /// What is there and what is missing, here and at the cluster.
  virtual std::vector<Finding> examine(const Cluster& cluster) = 0;

  // ---- within the job: called by its supervisor ----

  /// The command that starts all ranks on what the job was given, each running `train`.
  virtual std::vector<std::string> start_ranks(const Cluster& cluster, const Job& job,
                                               const std::vector<std::string>& train) const = 0;

  /// What is added to the environment of that command: by default what the cluster file says.
  virtual std::map<std::string, std::string> environment(const Cluster& cluster) const;

  /// How many nodes this attempt has.
  virtual int nodes(const Cluster& cluster) const = 0;

  /// How many cores a job has on each of them, for the figures.
  virtual std::int64_t cores_on_each_node(const Cluster& cluster) const;

  /// Waits until the job may begin on this machine, where the engine itself keeps no queue; `go_on` false gives up.
  virtual void take_turn(const Cluster&, const std::function<bool()>& /*go_on*/) {}

  /// Asks for the whole job to be started anew, later and maybe elsewhere. False where the supervisor is to start the
  /// ranks again itself.
  virtual bool requeue() { return false; }
};

/// The engines there are, in the order of the documentation.
struct EngineKind {
  const char* name;
  std::unique_ptr<Engine> (*make)();
};
const std::vector<EngineKind>& engine_kinds();

}  // namespace etude::launch
