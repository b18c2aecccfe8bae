#include <algorithm>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "framework/config/error.h"
#include "framework/files/files.h"
#include "launch/cluster.h"
#include "launch/kubernetes.h"
#include "launch/remote.h"

namespace etude::launch::kubernetes {
namespace {

constexpr const char* kOrder = "/etc/etude/order";
constexpr const char* kSshFolder = "/etc/etude/ssh";
/// Only there does the operator let the key be read by its owner alone, which ssh insists on when that is who runs it.
constexpr const char* kRootsSshFolder = "/root/.ssh";

std::string ssh_folder(const KubernetesOptions& options) { return options.user == 0 ? kRootsSshFolder : kSshFolder; }

/// Kubernetes fills in $(NAME) in commands and in values of the environment, and takes $$ for a $ that is none.
std::string literal(const std::string& text) {
  std::string escaped;
  for (const char c : text) escaped += c == '$' ? "$$" : std::string(1, c);
  return escaped;
}

Manifest literals(const process::Command& command) {
  Manifest words = Manifest::array();
  for (const std::string& word : command) words.push_back(literal(word));
  return words;
}

std::string order_name(const Job& job) { return name_of(job) + "-order"; }

Manifest metadata(const KubernetesOptions& options, const Job& job, const std::string& name) {
  Manifest labels{{"app.kubernetes.io/name", "etude"}, {"app.kubernetes.io/instance", name_of(job)}};
  for (const auto& [key, value] : options.labels) labels[key] = value;
  return {{"name", name}, {"namespace", options.name_space}, {"labels", labels}};
}

Manifest volumes(const KubernetesOptions& options, const Job& job) {
  Manifest list = Manifest::array();
  list.push_back({{"name", "order"}, {"configMap", {{"name", order_name(job)}}}});
  if (!options.shared_memory.empty()) {
    list.push_back(
        {{"name", "shared-memory"}, {"emptyDir", {{"medium", "Memory"}, {"sizeLimit", options.shared_memory}}}});
  }
  std::size_t number = 0;
  for (const auto& [claim, path] : options.volumes) {
    list.push_back({{"name", fmt::format("volume-{}", number++)}, {"persistentVolumeClaim", {{"claimName", claim}}}});
  }
  return list;
}

Manifest mounts(const KubernetesOptions& options) {
  Manifest list = Manifest::array();
  list.push_back({{"name", "order"}, {"mountPath", kOrder}, {"readOnly", true}});
  if (!options.shared_memory.empty()) list.push_back({{"name", "shared-memory"}, {"mountPath", "/dev/shm"}});
  std::size_t number = 0;
  for (const auto& [claim, path] : options.volumes) {
    list.push_back({{"name", fmt::format("volume-{}", number++)}, {"mountPath", path}});
  }
  return list;
}

Manifest container(const KubernetesOptions& options, const std::string& name, const process::Command& command) {
  const char* pull = options.pull == KubernetesOptions::Pull::kAlways         ? "Always"
                     : options.pull == KubernetesOptions::Pull::kIfNotPresent ? "IfNotPresent"
                                                                              : "Never";
  return {{"name", name},
          {"image", options.image},
          {"imagePullPolicy", pull},
          {"command", literals({command.at(0)})},
          {"args", literals(process::Command(command.begin() + 1, command.end()))},
          {"workingDir", options.directory.string()},
          {"volumeMounts", mounts(options)}};
}

/// What launcher and workers have in common.
Manifest pod(const KubernetesOptions& options, const Cluster& cluster, const Job& job, const Manifest& container) {
  Manifest spec{{"containers", Manifest::array({container})},
                {"volumes", volumes(options, job)},
                {"terminationGracePeriodSeconds", static_cast<std::int64_t>(cluster.warning) + 30}};
  if (options.user > 0) {
    spec["securityContext"] = {
        {"runAsUser", options.user}, {"runAsGroup", options.user}, {"fsGroup", options.user}, {"runAsNonRoot", true}};
  }
  if (!options.service_account.empty()) spec["serviceAccountName"] = options.service_account;
  if (!options.priority_class.empty()) spec["priorityClassName"] = options.priority_class;
  for (const std::string& secret : options.pull_secrets) spec["imagePullSecrets"].push_back({{"name", secret}});
  for (const std::string& key : options.tolerations) {
    spec["tolerations"].push_back({{"key", key}, {"operator", "Exists"}});
  }
  return spec;
}

Manifest replicas(const KubernetesOptions& options, std::int64_t count, const char* restart, const Manifest& pod) {
  Manifest labels = Manifest::object();
  for (const auto& [key, value] : options.labels) labels[key] = value;
  return {{"replicas", count},
          {"restartPolicy", restart},
          {"template", {{"metadata", {{"labels", labels}}}, {"spec", pod}}}};
}

Manifest launcher(const KubernetesOptions& options, const Cluster& cluster, const Job& job) {
  Manifest supervisor = container(options, "launcher", with_setup(cluster.setup, supervise_command(job)));
  for (const auto& [variable, value] : cluster.environment) {
    supervisor["env"].push_back({{"name", variable}, {"value", literal(value)}});
  }
  supervisor["resources"]["requests"] = {{"cpu", "250m"}, {"memory", "256Mi"}};
  return replicas(options, 1, "Never", pod(options, cluster, job, supervisor));
}

/// sshd as any user can run it: all it needs is the key that the operator makes for this job.
process::Command ssh_server(const KubernetesOptions& options) {
  const std::string folder = ssh_folder(options);
  return {"/usr/sbin/sshd",
          "-De",
          "-f",
          "/dev/null",
          "-p",
          std::to_string(options.ssh_port),
          "-o",
          "HostKey=" + folder + "/id_rsa",
          "-o",
          "AuthorizedKeysFile=" + folder + "/authorized_keys",
          "-o",
          "StrictModes=no",
          "-o",
          "PidFile=none",
          "-o",
          "UsePAM=no",
          "-o",
          "PasswordAuthentication=no",
          "-o",
          "KbdInteractiveAuthentication=no",
          "-o",
          "PermitRootLogin=prohibit-password",
          "-o",
          "MaxStartups=1000"};
}

Manifest worker(const KubernetesOptions& options, const Cluster& cluster, const Job& job) {
  Manifest server = container(options, "worker", ssh_server(options));
  server["readinessProbe"] = {{"tcpSocket", {{"port", options.ssh_port}}}, {"periodSeconds", 2}};
  Manifest limits = Manifest::object();
  std::string cpu = options.cpu;
  if (cpu.empty() && cluster.cores_per_rank > 0) {
    cpu = std::to_string(cluster.cores_per_rank * cluster.ranks_on_each_node());
  }
  if (!cpu.empty()) limits["cpu"] = cpu;
  if (!options.memory.empty()) limits["memory"] = options.memory;
  if (cluster.gpus_per_node > 0) limits[options.gpu_resource] = cluster.gpus_per_node;
  if (!limits.empty()) server["resources"]["limits"] = limits;
  Manifest spec = pod(options, cluster, job, server);
  for (const auto& [key, value] : options.node_selector) spec["nodeSelector"][key] = value;
  return replicas(options, cluster.nodes, "OnFailure", spec);
}

}  // namespace

std::string name_of(const Job& job) {
  std::string name = job.token;
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

Manifest config_map(const KubernetesOptions& options, const Job& job) {
  Manifest data = Manifest::object();
  for (const std::string& file : kOrderFiles) data[file] = files::read(job.folder / file);
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", metadata(options, job, order_name(job))},
          {"data", data}};
}

Manifest mpi_job(const KubernetesOptions& options, const Cluster& cluster, const Job& job) {
  Manifest policy{{"cleanPodPolicy", "Running"}, {"backoffLimit", options.launcher_restarts}};
  if (cluster.time > 0) {
    // From then on pods have the warning to write a checkpoint in.
    policy["activeDeadlineSeconds"] = static_cast<std::int64_t>(std::max(1.0, cluster.time - cluster.warning));
  }
  return {{"apiVersion", "kubeflow.org/v2beta1"},
          {"kind", "MPIJob"},
          {"metadata", metadata(options, job, name_of(job))},
          {"spec",
           {{"slotsPerWorker", cluster.ranks_on_each_node()},
            {"mpiImplementation", "OpenMPI"},
            {"sshAuthMountPath", ssh_folder(options)},
            {"launcherCreationPolicy", "WaitForWorkersReady"},
            {"runPolicy", policy},
            {"mpiReplicaSpecs",
             {{"Launcher", launcher(options, cluster, job)}, {"Worker", worker(options, cluster, job)}}}}}};
}

std::vector<std::string> hosts_of(const std::filesystem::path& hostfile) {
  std::ifstream stream(hostfile);
  if (!stream) throw Error(fmt::format("{}: the MPI operator's hostfile cannot be read", hostfile.string()));
  std::vector<std::string> hosts;
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    if (std::string host; words >> host) hosts.push_back(host);
  }
  return hosts;
}

process::Command ssh_options(const KubernetesOptions& options) {
  // The keys are the job's own and live as long as it does, so there is no host whose key could be known before.
  return {"-p", std::to_string(options.ssh_port),
          "-i", ssh_folder(options) + "/id_rsa",
          "-o", "BatchMode=yes",
          "-o", "StrictHostKeyChecking=no",
          "-o", "UserKnownHostsFile=/dev/null",
          "-o", "LogLevel=ERROR",
          "-o", "ConnectTimeout=5",
          "-o", "ConnectionAttempts=10"};
}

}  // namespace etude::launch::kubernetes
