#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "launch/cluster.h"
#include "launch/job.h"
#include "launch/status.h"

namespace etude::launch {

/// One run that somebody wants to have started.
struct Request {
  std::string name;
  std::filesystem::path run;       ///< the run folder, as the experiment names it
  std::string experiment;          ///< resolved, as YAML
  std::int64_t micro_batches = 0;  ///< in one step: there cannot be more ranks than that
};

struct Wishes {
  Limits limits;
  bool resume = false;
  bool overwrite = false;
};

struct Launched {
  Job job;
  bool found = false;  ///< it was under way already, and was not started again
};

/// Sets what the cluster file leaves open: the program, and ranks on each node, no more than there are micro-batches.
/// Throws UsageError when there cannot be that many ranks.
void settle(Cluster& cluster, const std::vector<Request>& requests);

/// What `launch` would submit.
std::string preview(Cluster& cluster, const std::vector<Request>& requests, const Wishes& wishes);

/// Starts each run once. One that is under way is found again, one whose submission was cut off (the launcher was
/// killed) is looked for at the engine first, and the others are submitted together. Throws UsageError when a folder
/// holds a run and neither `resume` nor `overwrite` is wished.
std::vector<Launched> launch(Cluster& cluster, const std::vector<Request>& requests, const Wishes& wishes);

/// Submits a job again whose run is not over, with a clean slate for judge(). New limits replace those that are not 0.
/// Throws UsageError when it is under way.
Job resume(Job job, const Limits& limits);

/// How a job stands, of what its supervisor and its engine say.
struct Overview {
  Job job;
  State state = State::kQueued;
  std::string words;    ///< why
  std::string way_out;  ///< what the user may do, where there is something
  std::string where;    ///< "slurm 4711"
  std::optional<Status> status;
};
Overview look(const Job& job);

/// Why, and what to do: for people.
std::string in_words(const Overview& overview);

/// Asks it to end with a checkpoint, or (`hard`) has its engine end it. One that has not begun is taken from the queue.
/// Returns what was done, in words.
std::string stop(const Job& job, bool hard);

/// Its cluster, as it was when it was launched.
std::unique_ptr<Cluster> cluster_of(const Job& job);

}  // namespace etude::launch
