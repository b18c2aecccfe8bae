#include "launch/kubernetes.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/config/error.h"
#include "framework/config/values.h"
#include "framework/files/files.h"
#include "launch/cluster.h"
#include "launch/job.h"
#include "launch/remote.h"

namespace etude::launch {
namespace {

constexpr double kPatience = 60;              ///< seconds for one command of kubectl
constexpr double kWaitForAllWorkers = 600;    ///< seconds, after which `min_nodes` of them will do
constexpr std::size_t kLongestHostName = 63;  ///< RFC 1123
constexpr const char* kKind = "mpijobs.kubeflow.org";
constexpr const char* kHostfileVariable = "OMPI_MCA_orte_default_hostfile";  // set by the operator

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string id_of(const Job& job) { return job.id.empty() ? kubernetes::name_of(job) : job.id; }

std::string launcher_of(const Job& job) { return fmt::format("job/{}-launcher", id_of(job)); }

std::string order_of(const Job& job) { return fmt::format("configmap/{}-order", id_of(job)); }

/// What to do about a refusal, as far as the words tell.
std::string way_out(const std::string& words) {
  if (contains(words, "no matches for kind")) {
    return "; the MPI operator is not installed there, or an older one (docs/launch-clouds.md)";
  }
  if (contains(words, "Forbidden") || contains(words, "forbidden")) {
    return "; ask for the right to create mpijobs.kubeflow.org and configmaps in that namespace";
  }
  if (contains(words, "namespaces") && contains(words, "not found")) return "; name another in `namespace`";
  if (contains(words, "context")) return "; 'kubectl config get-contexts' lists those there are";
  return "";
}

/// Whole cores of a quantity such as "8" or "8000m"; 0 where it is none.
std::int64_t cores_of(const std::string& quantity) {
  if (quantity.empty() || quantity.size() > 9 || !std::all_of(quantity.begin(), quantity.end() - 1, ::isdigit))
    return 0;
  if (quantity.back() == 'm') return quantity.size() > 1 ? std::stoll(quantity) / 1000 : 0;
  return std::isdigit(static_cast<unsigned char>(quantity.back())) ? std::stoll(quantity) : 0;
}

std::vector<std::string> hosts_of_this_job() {
  if (const char* hostfile = std::getenv(kHostfileVariable)) return kubernetes::hosts_of(hostfile);
  throw Error(fmt::format("{} is not set: this is no launcher pod of the MPI operator", kHostfileVariable));
}

}  // namespace

void KubernetesEngine::describe(config::Section& section) {
  KubernetesOptions& o = options_;
  section.text("context", o.context, "Of kubectl's configuration; empty takes the current one.");
  section.text("namespace", o.name_space, "Where the job's objects are made.");
  section.text("image", o.image, "Container image with etude, Open MPI and sshd, as docker/ makes it.");
  section.choice("image_pull_policy", o.pull,
                 {{"Always", KubernetesOptions::Pull::kAlways},
                  {"IfNotPresent", KubernetesOptions::Pull::kIfNotPresent},
                  {"Never", KubernetesOptions::Pull::kNever}},
                 "When nodes fetch the image.");
  section.list("image_pull_secrets", o.pull_secrets, "Secrets with which they may fetch it.");
  section.texts("volumes", o.volumes,
                "Persistent volume claims (ReadWriteMany), each with the path where it is mounted.");
  section.path("directory", o.directory, "Where relative paths of an experiment begin: packs/… and runs/….");
  section.text("cpu", o.cpu, "Cores for each node, such as 16; empty takes cores_per_rank, or sets no limit.");
  section.text("memory", o.memory, "Memory for each node, such as 64Gi; empty sets no limit.");
  section.text("shared_memory", o.shared_memory,
               "Size of /dev/shm, over which ranks of one node talk; empty leaves the 64 MiB that pods have.");
  section.text("gpu_resource", o.gpu_resource, "What a GPU is called in the cluster.");
  section.texts("node_selector", o.node_selector, "Labels of the machines that may take workers.");
  section.list("tolerations", o.tolerations, "Keys of taints that pods put up with, such as nvidia.com/gpu.");
  section.texts("labels", o.labels, "Labels of the job and its pods, such as kueue.x-k8s.io/queue-name.");
  section.text("service_account", o.service_account, "Under which pods run; empty takes the namespace's default.");
  section.text("priority_class", o.priority_class, "Of the pods; empty for none.");
  section.integer("user", o.user, {0, 2'000'000'000},
                  "User and group under which pods run, known to the image; 0 is root.");
  section.integer("ssh_port", o.ssh_port, {1, 65535}, "On which sshd listens in worker pods; above 1023 unless root.");
  section.integer("launcher_restarts", o.launcher_restarts, {0, 100},
                  "How often Kubernetes may start a launcher pod anew that was evicted or whose machine died.");
}

void KubernetesEngine::check(const Cluster& cluster) const {
  const KubernetesOptions& o = options_;
  if (o.image.empty()) throw UsageError("image: engine kubernetes needs a container image (docker/ makes one)");
  require_plain("context", o.context, "._:/@-");
  require_plain("namespace", o.name_space, "-", 63);
  require_plain("image", o.image, "._:/@-", 1000);
  require_plain("cpu", o.cpu, ".", 20);
  require_plain("memory", o.memory, ".", 20);
  require_plain("shared_memory", o.shared_memory, ".", 20);
  require_plain("gpu_resource", o.gpu_resource, "._/-");
  require_plain("service_account", o.service_account, ".-");
  require_plain("priority_class", o.priority_class, ".-");
  for (const std::string& secret : o.pull_secrets) require_plain("image_pull_secrets", secret, ".-");
  for (const std::string& key : o.tolerations) require_plain("tolerations", key, "._/-");
  for (const auto* labels : {&o.node_selector, &o.labels}) {
    const std::string where = labels == &o.labels ? "labels" : "node_selector";
    for (const auto& [key, value] : *labels) {
      require_plain(where, key, "._/-", 317);
      require_plain(where + "." + key, value, "._-", 63);
    }
  }
  for (const auto& [claim, path] : o.volumes) {
    require_plain("volumes", claim, ".-");
    require_plain_path("volumes." + claim, path);
  }
  require_plain_path("directory", o.directory.string());
  if (o.user > 0 && o.ssh_port < 1024)
    throw UsageError("ssh_port: below 1024 sshd would have to be run by root (user 0)");
  if (!cluster.setup.empty()) require_plain_path("setup", cluster.setup.string());
}

void KubernetesEngine::place(const Cluster& cluster, Job& job) const {
  place_remotely(cluster, options_.directory, "/etc/etude/order", job);
  std::vector<std::string> mounts;
  for (const auto& [claim, path] : options_.volumes) mounts.push_back(path);
  require_kept(job, "volumes", mounts);
}

process::Outcome KubernetesEngine::kubectl(process::Command arguments, const std::string& input) const {
  if (!process::find_program("kubectl")) {
    throw Error("there is no kubectl on the PATH; see https://kubernetes.io/docs/tasks/tools");
  }
  process::Command command{"kubectl", "--namespace=" + options_.name_space, "--request-timeout=30s"};
  if (!options_.context.empty()) command.push_back("--context=" + options_.context);
  command.insert(command.end(), arguments.begin(), arguments.end());
  return process::run(command, {.seconds = kPatience, .input = input});
}

std::string KubernetesEngine::script(const Cluster& cluster, const Jobs& jobs) const {
  std::string yaml = "# Handed over with 'kubectl apply -f'.\n";
  for (const Job* job : jobs) {
    const std::string last_worker = fmt::format("{}-worker-{}", kubernetes::name_of(*job), cluster.nodes - 1);
    if (last_worker.size() > kLongestHostName) {
      throw UsageError(fmt::format("{}: a pod cannot have so long a name; give the run a shorter one", last_worker));
    }
    yaml += "---\n" + to_yaml(kubernetes::config_map(options_, *job));
    yaml += "---\n" + to_yaml(kubernetes::mpi_job(options_, cluster, *job));
  }
  return yaml;
}

void KubernetesEngine::submit(const Cluster& cluster, const Jobs& jobs) {
  const process::Outcome outcome = kubectl({"apply", "-f", "-"}, script(cluster, jobs));
  if (outcome.code != 0) {
    const std::string words = last_words(outcome);
    if (kubernetes::out_of_reach(outcome)) throw Error("kubectl apply: " + words);
    throw UsageError(fmt::format("kubectl apply: {}{}", words, way_out(words)));
  }
  for (Job* job : jobs) job->id = kubernetes::name_of(*job);
}

std::optional<std::string> KubernetesEngine::find(const Job& job) {
  const std::string name = kubernetes::name_of(job);
  const process::Outcome outcome = kubectl({"get", kKind, name, "--ignore-not-found", "-o", "name"});
  if (outcome.code != 0) throw Error("kubectl get: " + last_words(outcome));
  return outcome.output.empty() ? std::nullopt : std::optional(name);
}

EngineState KubernetesEngine::state(const Job& job) {
  try {
    const process::Outcome outcome = kubectl({"get", kKind, id_of(job), "--ignore-not-found", "-o", "json"});
    if (outcome.code != 0) return {Phase::kUnknown, last_words(outcome)};
    if (outcome.output.empty()) return {Phase::kAbsent, "Kubernetes knows no such MPIJob"};
    EngineState state = kubernetes::state_of(Manifest::parse(outcome.output));
    if (state.phase == Phase::kQueued) {
      if (const std::string why = why_it_waits(job); !why.empty()) state.words += fmt::format(" ({})", why);
    }
    return state;
  } catch (const std::exception& error) {
    return {Phase::kUnknown, error.what()};
  }
}

std::string KubernetesEngine::why_it_waits(const Job& job) const {
  const process::Outcome outcome =
      kubectl({"get", "pods", "-l", "training.kubeflow.org/job-name=" + id_of(job), "-o", "json"});
  if (outcome.code != 0) return "";
  const Manifest pods = Manifest::parse(outcome.output, nullptr, false);
  if (!pods.is_object()) return "";
  for (const Manifest& pod : pods.value("items", Manifest::array())) {
    const Manifest status = pod.value("status", Manifest::object());
    for (const Manifest& condition : status.value("conditions", Manifest::array())) {
      if (condition.value("type", "") == "PodScheduled" && condition.value("status", "") == "False") {
        return condition.value("message", condition.value("reason", ""));
      }
    }
    for (const Manifest& container : status.value("containerStatuses", Manifest::array())) {
      const Manifest waiting = container.value("state", Manifest::object()).value("waiting", Manifest::object());
      if (waiting.contains("reason"))
        return fmt::format("{} {}", waiting.value("reason", ""), waiting.value("message", ""));
    }
  }
  return "";
}

void KubernetesEngine::cancel(const Job& job) {
  const process::Outcome outcome =
      kubectl({"delete", fmt::format("{}/{}", kKind, id_of(job)), order_of(job), "--ignore-not-found", "--wait=false"});
  if (outcome.code != 0) throw Error("kubectl delete: " + last_words(outcome));
}

void KubernetesEngine::ask_to_stop(const Job& job) {
  if (state(job).phase == Phase::kQueued) return;  // there is no pod yet that could be told
  const std::string file = (job.run / "job" / job.stop_name()).string();
  const process::Outcome outcome = kubectl({"exec", launcher_of(job), "-c", "launcher", "--", "touch", "--", file});
  if (outcome.code != 0) throw Error("kubectl exec: " + last_words(outcome));
}

std::string KubernetesEngine::logs(const Job& job) {
  // Of all launcher pods there were; without --tail a selector shows ten lines of each.
  const process::Outcome outcome =
      kubectl({"logs", "-l",
               fmt::format("training.kubeflow.org/job-name={},training.kubeflow.org/job-role=launcher", id_of(job)),
               "-c", "launcher", "--tail=-1", "--ignore-errors"});
  if (outcome.code != 0) throw Error("kubectl logs: " + last_words(outcome));
  return outcome.output;
}

std::vector<Finding> KubernetesEngine::examine(const Cluster&) {
  std::vector<Finding> findings;
  if (!process::find_program("kubectl")) {
    return {{false, "kubectl: not on the PATH", "install it: https://kubernetes.io/docs/tasks/tools"}};
  }
  const auto look = [&](const process::Command& command, const std::string& good, const std::string& bad,
                        const std::string& way_out, const auto& is_good) {
    const process::Outcome outcome = kubectl(command);
    const bool fine = is_good(outcome);
    const std::string words = outcome.code == 0 ? "" : ": " + last_words(outcome);
    findings.push_back(fine ? Finding{true, good, ""} : Finding{false, bad + words, way_out});
    return fine;
  };
  const auto ends_well = [](const process::Outcome& outcome) { return outcome.code == 0; };
  if (!look({"version"}, "kubectl: the server answers", "kubectl: the server cannot be asked",
            "'kubectl config get-contexts' lists what can be given as `context`", ends_well)) {
    return findings;
  }
  const std::string space = options_.name_space;
  look({"get", "namespace", space}, "namespace " + space, "namespace " + space,
       "name one that there is in `namespace`, or ask for it", ends_well);
  look({"api-resources", "--api-group=kubeflow.org", "--no-headers"}, "the MPI operator: kubeflow.org/v2beta1",
       "the MPI operator: the cluster has no MPIJob of kubeflow.org/v2beta1",
       "have it installed: https://github.com/kubeflow/mpi-operator", [](const process::Outcome& outcome) {
         return outcome.code == 0 && contains(outcome.output, "mpijobs") &&
                contains(outcome.output, "kubeflow.org/v2beta1");
       });
  for (const std::string resource : {"mpijobs.kubeflow.org", "configmaps"}) {
    look({"auth", "can-i", "create", resource}, "may create " + resource, "may not create " + resource,
         fmt::format("ask for a role with that right in namespace {}", space), ends_well);
  }
  for (const auto& [claim, path] : options_.volumes) {
    look({"get", "persistentvolumeclaim", claim}, fmt::format("volume {} at {}", claim, path), "volume " + claim,
         "make a claim with accessModes [ReadWriteMany] (docs/launch-clouds.md)", ends_well);
  }
  if (!options_.service_account.empty()) {
    look({"get", "serviceaccount", options_.service_account}, "service account " + options_.service_account,
         "service account " + options_.service_account, "name one that there is in `service_account`", ends_well);
  }
  return findings;
}

std::vector<std::string> KubernetesEngine::start_ranks(const Cluster& cluster, const Job&,
                                                       const std::vector<std::string>& train) const {
  const std::int64_t cores =
      cluster.cores_per_rank > 0 ? cluster.cores_per_rank : cores_of(options_.cpu) / cluster.ranks_on_each_node();
  process::Command command = train;
  // A pod sees all cores of its machine, however few it was given.
  if (cores > 0) command.insert(command.end(), {"--set", fmt::format("train.threads={}", cores)});
  const std::vector<std::string> hosts = workers_.empty() ? hosts_of_this_job() : workers_;
  return mpirun_over_ssh(cluster, hosts, false,
                         {"--mca", "orte_keep_fqdn_hostnames", "1", "--mca", "plm_rsh_args",
                          fmt::format("{}", fmt::join(kubernetes::ssh_options(options_), " "))},
                         command);
}

int KubernetesEngine::nodes(const Cluster& cluster) const {
  return workers_.empty() ? static_cast<int>(cluster.nodes) : static_cast<int>(workers_.size());
}

std::int64_t KubernetesEngine::cores_on_each_node(const Cluster& cluster) const {
  const std::int64_t cores = cores_of(options_.cpu);
  return cores > 0 ? cores : Engine::cores_on_each_node(cluster);
}

void KubernetesEngine::take_turn(const Cluster& cluster, const std::function<bool()>& go_on) {
  const auto began = std::chrono::steady_clock::now();
  do {
    const std::vector<std::string> all = hosts_of_this_job();
    workers_.clear();
    for (const std::string& host : all) {
      process::Command ssh{"ssh", "-o", "ConnectionAttempts=1"};
      const process::Command options = kubernetes::ssh_options(options_);
      ssh.insert(ssh.end(), options.begin(), options.end());
      ssh.insert(ssh.end(), {host, "true"});
      if (process::run(ssh, {.seconds = 15}).code == 0) workers_.push_back(host);
    }
    if (!all.empty() && workers_.size() == all.size()) return;
    const double waited = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    if (cluster.min_nodes > 0 && std::ssize(workers_) >= cluster.min_nodes && waited > kWaitForAllWorkers) return;
  } while (go_on());
}

std::unique_ptr<Engine> make_kubernetes_engine() { return std::make_unique<KubernetesEngine>(); }

namespace kubernetes {

EngineState state_of(const Manifest& mpi_job) {
  const Manifest status = mpi_job.value("status", Manifest::object());
  const Manifest conditions = status.value("conditions", Manifest::array());
  const auto holds = [&](const char* type) -> const Manifest* {
    for (const Manifest& condition : conditions) {
      if (condition.value("type", "") == type && condition.value("status", "") == "True") return &condition;
    }
    return nullptr;
  };
  const auto words = [](const Manifest& condition) {
    const std::string reason = condition.value("reason", ""), message = condition.value("message", "");
    return fmt::format("{}{}{}", condition.value("type", ""), reason.empty() ? "" : ", " + reason,
                       message.empty() ? "" : ": " + message);
  };
  const Manifest* failed = holds("Failed");
  // Evicted workers make the operator say so while it starts them anew.
  const bool evicted =
      failed != nullptr && failed->value("reason", "") == "MPIJobEvicted" && !status.contains("completionTime");
  if (evicted) return {Phase::kRunning, words(*failed)};
  if (failed != nullptr) return {Phase::kEnded, words(*failed)};
  if (const Manifest* done = holds("Succeeded")) return {Phase::kEnded, words(*done)};
  if (holds("Suspended") != nullptr) return {Phase::kQueued, "Suspended"};
  if (const Manifest* restarting = holds("Restarting")) return {Phase::kRunning, words(*restarting)};
  if (holds("Running") != nullptr) return {Phase::kRunning, "Running"};
  return {Phase::kQueued, holds("Created") != nullptr ? "Created" : "not yet seen by the MPI operator"};
}

bool out_of_reach(const process::Outcome& outcome) {
  const std::string said = outcome.errors + outcome.output;
  for (const char* words : {"connection to the server", "Unable to connect", "dial tcp", "i/o timeout", "TLS handshake",
                            "no such host", "unexpected EOF", "context deadline exceeded", "Client.Timeout",
                            "did not answer within", "server is currently unable", "etcdserver:"}) {
    if (contains(said, words)) return true;
  }
  return false;
}

}  // namespace kubernetes

}  // namespace etude::launch
