#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace etude::launch {

/// Bounds of what one run may use, over all its attempts; 0 for none.
struct Limits {
  double hours = 0;  ///< of running, on however many nodes
  double cost = 0;   ///< in the cluster file's currency
};

/// One run that was given to an engine. It lives in a folder `job/` of the run:
///   job.json         this struct
///   experiment.yaml  what is trained, resolved, so that a later edit of the experiment does not change it
///   cluster.yaml     where, resolved
///   script           what was submitted (a job script or a manifest)
///   output.txt       what supervisor and ranks print
///   attempts.jsonl   every start and end
///   status.json      how it stands
struct Job {
  std::string name;              ///< "demo"; unique among the jobs that this user's launcher knows
  std::string token;             ///< "etude-demo-1f3a9c": unique for ever, letters, digits and dashes, at most 52
  std::string id;                ///< the engine's; empty until it was submitted
  std::filesystem::path folder;  ///< absolute, as the launching machine sees it
  std::filesystem::path run;     ///< the run folder as the nodes see it
  std::filesystem::path order;   ///< where the nodes find job.json, experiment.yaml and cluster.yaml
  std::filesystem::path output;  ///< absolute: where what it prints goes
  std::string program;           ///< `etude` as the nodes call it
  std::string supervisor;        ///< `etude` as the machine calls it on which the job's script runs
  Limits limits;
  std::string submitted;  ///< UTC, "2026-01-31T12:00:00Z"

  std::filesystem::path script_file() const { return folder / "script"; }
  /// Made by whoever wants it to end. Named by the token, so that a resumed job does not obey an older wish.
  std::filesystem::path stop_file() const { return folder / stop_name(); }
  std::string stop_name() const { return "stop-" + token; }
};

/// Writes job.json, atomically. Throws Error.
void save(const Job& job);
/// Reads the job of a folder. Throws Error naming the file and what is wrong with it.
Job load_job(const std::filesystem::path& folder);

/// The command that supervises a job within what its engine gave it: {"/opt/etude", "launch", "--supervise", FOLDER}.
std::vector<std::string> supervise_command(const Job& job);

}  // namespace etude::launch
