#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/process/run.h"
#include "launch/engine.h"

namespace etude::launch {

/// What a cluster file says of Slurm.
struct SlurmOptions {
  enum class Starter { kSrun, kMpirun };
  enum class Container { kNone, kApptainer, kPyxis };

  std::string partition, account, qos, constraint, reservation;
  std::string memory;    ///< of each node, "64G"
  std::string gpu_type;  ///< "a100"
  bool exclusive = false;
  std::int64_t at_once = 0;  ///< of an array's jobs; 0: as many as there is room for
  Starter starter = Starter::kSrun;
  std::string mpi = "pmix";
  Container container = Container::kNone;
  std::string image;
  std::vector<std::string> mounts, modules, extra;
};

/// sbatch, squeue, scontrol and their like. Several jobs become one array. The batch script turns into the supervisor,
/// which starts the ranks with srun or mpirun in the job's allocation.
class SlurmEngine : public Engine {
 public:
  void describe(config::Section& section) override;
  void check(const Cluster& cluster) const override;
  std::string script(const Cluster& cluster, const Jobs& jobs) const override;
  void submit(const Cluster& cluster, const Jobs& jobs) override;
  std::optional<std::string> find(const Job& job) override;
  EngineState state(const Job& job) override;
  void cancel(const Job& job) override;
  std::vector<Finding> examine(const Cluster& cluster) override;
  std::vector<std::string> start_ranks(const Cluster& cluster, const Job& job,
                                       const std::vector<std::string>& train) const override;
  int nodes(const Cluster& cluster) const override;
  std::int64_t cores_on_each_node(const Cluster& cluster) const override;
  bool requeue() override;

 private:
  SlurmOptions options_;
};

std::unique_ptr<Engine> make_slurm_engine();

namespace slurm {

/// Makes the next state() ask squeue again, whose last answer otherwise serves for all jobs for two seconds.
void forget_queue();

/// The lines of the batch script that sbatch itself reads: options and their values, with the reasons as comments.
struct Header {
  /// Starts a group of options. What has no reason to be told needs no comment.
  void comment(const std::string& text);
  void option(const std::string& name, const std::string& value);
  void flag(const std::string& name);
  void further(const std::string& option);  ///< "--name" or "--name=value"

  std::string text;
  std::vector<std::string> names;  ///< of all options, without dashes
};
Header header(const SlurmOptions& options, const Cluster& cluster, const Jobs& jobs);

/// The whole script, and the command in it that starts the ranks on `nodes`.
std::string batch_script(const SlurmOptions& options, const Cluster& cluster, const Jobs& jobs);
process::Command start_ranks(const SlurmOptions& options, const Cluster& cluster, std::int64_t nodes,
                             const process::Command& train);

/// Throws UsageError for a value that sbatch, srun or the script could take for something else than what was meant.
void check(const SlurmOptions& options, const Cluster& cluster);

/// The value as sbatch's parser of `#SBATCH` lines reads it back. Throws UsageError for one that has no such form: with
/// a line break or another control character.
std::string header_word(const std::string& value);
/// The name of an output file as Slurm reads it back, which would fill in %j and its like. Throws UsageError for a
/// backslash, which switches that off and is no part of the name.
std::string output_name(const std::string& path);

/// What `squeue -o %T|%r` or `sacct -o State` say of a job.
EngineState state_of(const std::string& state, const std::string& reason = "");

/// What Slurm's programs said, as one line without the program's own name in front: "Invalid account". Their exit code
/// where they said nothing.
std::string words_of(const process::Outcome& outcome);
/// Whether they could not ask the controller, so that nothing is known.
bool out_of_reach(const process::Outcome& outcome);

/// Seconds of a time limit as Slurm prints it: 30 (minutes), 30:00, 1:00:00, 2-00:00:00; nothing for infinite and what
/// is no time.
std::optional<double> seconds_of(const std::string& limit);

/// What is there and what is missing.
std::vector<Finding> examine(const SlurmOptions& options, const Cluster& cluster);
/// The partitions there are, for people: "cpu, gpu"; empty when nobody tells.
std::string partitions();

}  // namespace slurm

}  // namespace etude::launch
