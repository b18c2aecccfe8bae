#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/process/command.h"
#include "launch/engine.h"
#include "launch/manifest.h"

namespace etude::launch {

/// What a cluster file says of SkyPilot.
struct SkypilotOptions {
  enum class Recovery { kDefault, kFailover, kEagerNextRegion };
  enum class BucketMode { kMountCached, kMount };

  std::string infra, accelerators, instance_type, cpus, memory, image;
  std::string network_tier;
  bool use_spot = false;
  Recovery recovery = Recovery::kDefault;
  std::int64_t disk_size = 0;                  ///< GB; 0 for SkyPilot's default
  std::map<std::string, std::string> buckets;  ///< mount path to bucket
  BucketMode bucket_mode = BucketMode::kMountCached;
  std::map<std::string, std::string> volumes;  ///< mount path to SkyPilot volume
  std::map<std::string, std::string> copies;   ///< path on the nodes to what is copied there: a local path or a bucket
  std::filesystem::path directory = "/etude/data";  ///< where relative paths of experiments begin
  std::filesystem::path install;                    ///< a script of this machine, run once on each new node
  std::string network;                              ///< interface or subnet
};

/// A managed job of SkyPilot (`sky jobs launch`), which finds machines in clouds and replaces those that are taken
/// away. The first node's command is the supervisor, which starts the ranks on all of them with mpirun and ssh. Runs
/// lie in a bucket or on a volume; this machine need not see them.
class SkypilotEngine : public Engine {
 public:
  void describe(config::Section& section) override;
  void check(const Cluster& cluster) const override;
  void place(const Cluster& cluster, Job& job) const override;
  std::string script(const Cluster& cluster, const Jobs& jobs) const override;
  void submit(const Cluster& cluster, const Jobs& jobs) override;
  std::optional<std::string> find(const Job& job) override;
  EngineState state(const Job& job) override;
  void cancel(const Job& job) override;
  /// Cancels it in SkyPilot's graceful way: SIGTERM, 30 seconds for a checkpoint, and buckets written to their end.
  void ask_to_stop(const Job& job) override;
  std::string logs(const Job& job) override;
  bool shares_files() const override { return false; }
  std::vector<Finding> examine(const Cluster& cluster) override;
  std::vector<std::string> start_ranks(const Cluster& cluster, const Job& job,
                                       const std::vector<std::string>& train) const override;
  int nodes(const Cluster& cluster) const override;

 private:
  const Manifest& queue();

  SkypilotOptions options_;
  Manifest queue_;  // the last answer of `sky jobs queue`, which takes seconds: one for all jobs that are asked about
  std::optional<std::chrono::steady_clock::time_point> queue_asked_;
};

std::unique_ptr<Engine> make_skypilot_engine();

namespace skypilot {

Manifest task(const SkypilotOptions& options, const Cluster& cluster, const Job& job);

/// What an entry of `sky jobs queue --output json` says of a job.
EngineState state_of(const Manifest& record);

/// Logs without what SkyPilot puts in front of each line, "(etude-demo-1f3a9c, pid=4021) ".
std::string without_prefixes(const std::string& logs);

}  // namespace skypilot

}  // namespace etude::launch
