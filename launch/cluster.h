#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "framework/config/options.h"
#include "launch/engine.h"

namespace etude::launch {

/// What a node costs while a job has it.
struct Price {
  double per_node_hour = 0;
  std::string currency = "USD";
};

/// What a cluster file says: where runs are computed. Keys that belong to one engine are described by that engine.
struct Cluster {
  Cluster();

  std::string engine = "local";
  std::int64_t nodes = 1;
  std::int64_t min_nodes = 0;       ///< a job may begin on so few; 0: only on `nodes`
  std::int64_t ranks_per_node = 0;  ///< 0: one a GPU, or one where there is none
  std::int64_t gpus_per_node = 0;
  std::int64_t cores_per_rank = 0;  ///< 0: what the engine gives
  double time = 0;                  ///< seconds after which the engine ends the job; 0: the engine's default
  double warning = 120;             ///< seconds before that, in which a checkpoint is written
  std::int64_t max_restarts = 20;
  Price price;
  std::string program;          ///< `etude` as the nodes call it; empty: this one
  std::filesystem::path setup;  ///< a shell script that is sourced on the node before anything starts; or empty
  std::filesystem::path stage;  ///< a folder on each node's own disk to copy packs to; or empty
  std::map<std::string, std::string> environment;

  std::int64_t ranks_on_each_node() const;

  Engine& engine_in_use() const;

  std::vector<std::pair<std::string, std::unique_ptr<Engine>>> engines;
};
void describe(config::Section& section, Cluster& cluster);

/// Reads a cluster file; an empty path is this machine. Throws config::ConfigError with every complaint, UsageError for
/// what does not go together.
std::unique_ptr<Cluster> load_cluster(const std::filesystem::path& file,
                                      const std::vector<std::string>& assignments = {});

/// All of it, resolved; load_cluster reads it back.
std::string to_yaml(Cluster& cluster);

}  // namespace etude::launch
