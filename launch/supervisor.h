#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace etude::launch {

/// What `etude supervise` does within a job, on one of its machines: starts the ranks, watches them, keeps status.json,
/// and does what judge() says when they end. It may be killed at any moment and started again: what it needs to know is
/// in the run folder. SIGUSR1 tells it that the engine's time limit is near, SIGTERM or SIGINT that the engine ends the
/// job; a file `stop` in the run's job/ that the user wants it to end. In each case the ranks write a checkpoint.
///
/// Returns the exit code of the job: 0 when it is done, stopped, or given back to its engine; 1 when it failed; 75 when
/// it was told to end and may be started again.
///
/// `order`: the folder that holds job.json, experiment.yaml and cluster.yaml. Throws UsageError when another supervisor
/// has the run, Error for files that are missing or damaged.
int supervise(const std::filesystem::path& order);

struct SupervisorPlace {
  int process = 0;
  std::string host;
};
/// Who looks after the job of this folder; nothing when nobody does. Goes by a lock, which ends with its holder.
std::optional<SupervisorPlace> supervisor_of(const std::filesystem::path& folder);

}  // namespace etude::launch
