#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "framework/process/run.h"
#include "launch/engine.h"
#include "launch/manifest.h"

namespace etude::launch {

/// What a cluster file says of Kubernetes.
struct KubernetesOptions {
  enum class Pull { kAlways, kIfNotPresent, kNever };

  std::string context;
  std::string name_space = "default";
  std::string image;
  Pull pull = Pull::kIfNotPresent;
  std::vector<std::string> pull_secrets;
  std::map<std::string, std::string> volumes;  ///< claim to mount path
  std::filesystem::path directory = "/data";   ///< where relative paths of experiments begin
  std::string cpu, memory, shared_memory = "8Gi";
  std::string gpu_resource = "nvidia.com/gpu";
  std::map<std::string, std::string> node_selector, labels;
  std::vector<std::string> tolerations;
  std::string service_account, priority_class;
  std::int64_t user = 1000;
  std::int64_t ssh_port = 2222;
  std::int64_t launcher_restarts = 4;
};

/// An MPIJob of the Kubeflow MPI operator (kubeflow.org/v2beta1) and a ConfigMap with the order, handed over and looked
/// after with kubectl. The launcher pod runs the supervisor, which starts the ranks in the worker pods with mpirun and
/// ssh. Runs and packs lie on persistent volumes; this machine need not see them.
class KubernetesEngine : public Engine {
 public:
  void describe(config::Section& section) override;
  void check(const Cluster& cluster) const override;
  void place(const Cluster& cluster, Job& job) const override;
  std::string script(const Cluster& cluster, const Jobs& jobs) const override;
  void submit(const Cluster& cluster, const Jobs& jobs) override;
  std::optional<std::string> find(const Job& job) override;
  EngineState state(const Job& job) override;
  void cancel(const Job& job) override;
  void ask_to_stop(const Job& job) override;
  std::string logs(const Job& job) override;
  bool shares_files() const override { return false; }
  std::vector<Finding> examine(const Cluster& cluster) override;
  std::vector<std::string> start_ranks(const Cluster& cluster, const Job& job,
                                       const std::vector<std::string>& train) const override;
  int nodes(const Cluster& cluster) const override;
  std::int64_t cores_on_each_node(const Cluster& cluster) const override;
  /// Waits until the worker pods can be reached: one whose machine died is made anew elsewhere by the operator.
  void take_turn(const Cluster& cluster, const std::function<bool()>& go_on) override;

 private:
  process::Outcome kubectl(process::Command arguments, const std::string& input = "") const;
  std::string why_it_waits(const Job& job) const;

  KubernetesOptions options_;
  std::vector<std::string> workers_;  ///< the hosts of this attempt
};

std::unique_ptr<Engine> make_kubernetes_engine();

namespace kubernetes {

Manifest config_map(const KubernetesOptions& options, const Job& job);
Manifest mpi_job(const KubernetesOptions& options, const Cluster& cluster, const Job& job);

/// What `kubectl get mpijob -o json` says of a job.
EngineState state_of(const Manifest& mpi_job);

/// Whether kubectl could not ask the server, so that nothing is known.
bool out_of_reach(const process::Outcome& outcome);

/// The names in the operator's hostfile, in its order.
std::vector<std::string> hosts_of(const std::filesystem::path& hostfile);

/// A name that the operator's objects can have: RFC 1123.
std::string name_of(const Job& job);

/// Options of ssh that reach a worker pod.
process::Command ssh_options(const KubernetesOptions& options);

}  // namespace kubernetes

}  // namespace etude::launch
