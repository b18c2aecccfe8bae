#include "launch/cluster.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "framework/config/document.h"
#include "framework/config/values.h"

namespace etude::launch {

Cluster::Cluster() {
  for (const EngineKind& kind : engine_kinds()) engines.emplace_back(kind.name, kind.make());
}

std::int64_t Cluster::ranks_on_each_node() const {
  return ranks_per_node > 0 ? ranks_per_node : std::max<std::int64_t>(1, gpus_per_node);
}

Engine& Cluster::engine_in_use() const {
  for (const auto& [name, candidate] : engines) {
    if (name == engine) return *candidate;
  }
  throw std::logic_error(fmt::format("there is no engine '{}'", engine));
}

void describe(config::Section& section, Cluster& cluster) {
  std::vector<std::pair<std::string, std::function<void(config::Section&)>>> alternatives;
  for (const auto& [name, engine] : cluster.engines) {
    alternatives.emplace_back(name, [engine = engine.get()](config::Section& keys) { engine->describe(keys); });
  }
  section.variant("engine", cluster.engine, std::move(alternatives),
                  "What places jobs: mpirun on this machine or on hosts reached by ssh (local), or a scheduler.");
  section.integer("nodes", cluster.nodes, {1, 100'000}, "Machines for one run.");
  section.integer("min_nodes", cluster.min_nodes, {0, 100'000},
                  "Begin on so few where `nodes` are not to be had, after a node has died above all; 0 waits for all.");
  section.integer("ranks_per_node", cluster.ranks_per_node, {0, 4096},
                  "Ranks on each node; 0 takes one a GPU, or one where there are none.");
  section.integer("gpus_per_node", cluster.gpus_per_node, {0, 64}, "GPUs on each node, one a rank.");
  section.integer("cores_per_rank", cluster.cores_per_rank, {0, 4096},
                  "Cores for each rank, which are its threads; 0 leaves it to the engine.");
  section.duration("time", cluster.time,
                   "How long a job may take before the engine ends it, such as 12h; 0s leaves it to the engine.");
  section.duration("warning", cluster.warning,
                   "How long before that a checkpoint is written; longer than a step and a checkpoint take.");
  section.integer("max_restarts", cluster.max_restarts, {0, 100'000},
                  "How often a run is started again after a dead node, a preemption or the time limit.");
  section.text("program", cluster.program, "`etude` as the nodes call it; empty takes the path of this one.");
  section.path("setup", cluster.setup,
               "A shell script that is sourced on the node before anything starts; empty for none.");
  section.path("stage", cluster.stage,
               "A folder on each node's own disk, to which packs are copied once; empty reads them where they are.");
  section.texts("environment", cluster.environment, "Environment variables for all ranks.");
  config::Section& price = section.section("price", "What a node costs, for the figures and for --max-cost.");
  price.number("per_node_hour", cluster.price.per_node_hour, {0, 1e9}, "For one node and one hour; 0 when unknown.");
  price.text("currency", cluster.price.currency, "What it is counted in.");
}

namespace {

void check(const Cluster& cluster, const std::string& name) {
  const auto refuse = [&](const std::string& what) { throw UsageError(fmt::format("{}: {}", name, what)); };
  if (cluster.min_nodes > cluster.nodes) {
    refuse(fmt::format("min_nodes ({}) is more than nodes ({})", cluster.min_nodes, cluster.nodes));
  }
  if (cluster.gpus_per_node > 0 && cluster.ranks_on_each_node() > cluster.gpus_per_node) {
    refuse(fmt::format("{} ranks for {} GPUs on each node; a GPU serves one rank", cluster.ranks_on_each_node(),
                       cluster.gpus_per_node));
  }
  if (cluster.time > 0 && cluster.warning >= cluster.time) {
    refuse(fmt::format("warning ({}) leaves nothing of time ({})", config::duration_text(cluster.warning),
                       config::duration_text(cluster.time)));
  }
  for (const auto& [variable, value] : cluster.environment) {
    const auto fits = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
    if (variable.empty() || std::isdigit(static_cast<unsigned char>(variable[0])) ||
        !std::all_of(variable.begin(), variable.end(), fits)) {
      refuse(fmt::format("environment: '{}' is no name of a variable (letters, digits and _)", variable));
    }
    if (value.find('\0') != std::string::npos) refuse(fmt::format("environment: {} holds a zero byte", variable));
  }
  try {
    cluster.engine_in_use().check(cluster);
  } catch (const UsageError& error) {
    refuse(error.what());
  }
}

}  // namespace

std::unique_ptr<Cluster> load_cluster(const std::filesystem::path& file, const std::vector<std::string>& assignments) {
  auto cluster = std::make_unique<Cluster>();
  config::Section root;
  describe(root, *cluster);
  if (file.empty()) {
    config::load_text(root, "", "this machine", assignments);
  } else {
    config::load(root, file, assignments);
  }
  check(*cluster, file.empty() ? "this machine" : file.string());
  return cluster;
}

std::string to_yaml(Cluster& cluster) {
  config::Section root;
  describe(root, cluster);
  return config::to_yaml(root);
}

}  // namespace etude::launch
