#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "framework/process/run.h"
#include "launch/core_ledger.h"
#include "launch/engine.h"

namespace etude::launch {

struct Host {
  std::string name;
  std::int64_t ranks = 0;  ///< 0: as the cluster file says for each node
};

/// mpirun on this machine, or on hosts that ssh reaches. The supervisor is a process of its own here, which goes on
/// when the launcher ends; jobs share the machine's cores through a ledger, and wait for them.
class LocalEngine : public Engine {
 public:
  void describe(config::Section& section) override;
  void check(const Cluster& cluster) const override;
  void settle(Cluster& cluster) override;
  std::string script(const Cluster& cluster, const Jobs& jobs) const override;
  void submit(const Cluster& cluster, const Jobs& jobs) override;
  std::optional<std::string> find(const Job& job) override;
  EngineState state(const Job& job) override;
  void cancel(const Job& job) override;
  std::vector<Finding> examine(const Cluster& cluster) override;
  std::vector<std::string> start_ranks(const Cluster& cluster, const Job& job,
                                       const std::vector<std::string>& train) const override;
  std::map<std::string, std::string> environment(const Cluster& cluster) const override;
  int nodes(const Cluster& cluster) const override;
  std::int64_t cores_on_each_node(const Cluster& cluster) const override;
  void take_turn(const Cluster& cluster, const std::function<bool()>& go_on) override;

 private:
  std::vector<Host> hosts() const;
  process::Outcome run_on(const Host& host, const std::vector<std::string>& command, double seconds) const;
  bool answers(const Host& host) const;
  std::vector<std::string> ssh_arguments() const;
  std::int64_t cores_wanted(const Cluster& cluster) const;

  std::vector<std::string> hosts_;
  std::filesystem::path hostfile_;
  std::filesystem::path ssh_config_;
  std::string network_;
  std::vector<std::string> forward_;
  std::int64_t cores_ = 0;

  CoreLedger ledger_;
  std::vector<Host> answering_;
};

std::unique_ptr<Engine> make_local_engine();

}  // namespace etude::launch
