#include "launch/kubernetes.h"

#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "framework/config/error.h"
#include "tests/launch/stand_in.h"
#include "tests/support/background.h"
#include "tests/support/tcp.h"

namespace {

using etude::UsageError;
using etude::launch::EngineState;
using etude::launch::Phase;
using etude::testing::kHostile;
using etude::testing::read_yaml;
using etude::testing::RemoteJob;
using etude::testing::run_shell;
using etude::testing::StandIn;
using etude::testing::TemporaryFolder;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kCluster = R"(
engine: kubernetes
nodes: 2
gpus_per_node: 8
cores_per_rank: 12
time: 2h
context: lab
namespace: music
image: images.example.org/etude:1.0-cuda
image_pull_policy: Always
image_pull_secrets: [registry]
volumes: {packs-and-runs: /data, scratch: /scratch}
memory: 900Gi
node_selector: {gpu/kind: h100}
tolerations: [nvidia.com/gpu]
labels: {kueue.x-k8s.io/queue-name: music}
service_account: trainer
priority_class: high
environment: {NCCL_DEBUG: WARN}
)";

/// The fields that these objects may have, with their types, as the MPI operator documents MPIJob v2beta1 (its Python
/// SDK's V2beta1MPIJobSpec, V2beta1RunPolicy, V2beta1ReplicaSpec and its rules of validation) and Kubernetes its own
/// objects (API reference v1.32). `[]` is an element of a list, `*` a key of one's own choice.
const std::map<std::string, std::string> kFields{
    {"apiVersion", "string"},
    {"kind", "string"},
    {"metadata", "object"},
    {"metadata.name", "name"},
    {"metadata.namespace", "name"},
    {"metadata.labels", "object"},
    {"metadata.labels.*", "string"},
    {"data", "object"},
    {"data.*", "string"},
    {"spec", "object"},
    {"spec.slotsPerWorker", "integer"},
    {"spec.mpiImplementation", "OpenMPI Intel MPICH"},
    {"spec.sshAuthMountPath", "path"},
    {"spec.launcherCreationPolicy", "AtStartup WaitForWorkersReady"},
    {"spec.runLauncherAsWorker", "boolean"},
    {"spec.runPolicy", "object"},
    {"spec.runPolicy.cleanPodPolicy", "None Running All"},
    {"spec.runPolicy.ttlSecondsAfterFinished", "integer"},
    {"spec.runPolicy.activeDeadlineSeconds", "integer"},
    {"spec.runPolicy.backoffLimit", "integer"},
    {"spec.runPolicy.suspend", "boolean"},
    {"spec.mpiReplicaSpecs", "object"},
    {"spec.mpiReplicaSpecs.Launcher", "object"},
    {"spec.mpiReplicaSpecs.Worker", "object"},
    {"R.replicas", "integer"},
    {"R.restartPolicy", "Never OnFailure"},  // all that the operator's validation lets a batch/v1 Job have
    {"R.template", "object"},
    {"R.template.metadata", "object"},
    {"R.template.metadata.labels", "object"},
    {"R.template.metadata.labels.*", "string"},
    {"R.template.spec", "object"},
    {"P.containers", "list"},
    {"P.containers[]", "object"},
    {"P.volumes", "list"},
    {"P.volumes[]", "object"},
    {"P.volumes[].name", "name"},
    {"P.volumes[].configMap", "object"},
    {"P.volumes[].configMap.name", "name"},
    {"P.volumes[].emptyDir", "object"},
    {"P.volumes[].emptyDir.medium", "Memory"},
    {"P.volumes[].emptyDir.sizeLimit", "string"},
    {"P.volumes[].persistentVolumeClaim", "object"},
    {"P.volumes[].persistentVolumeClaim.claimName", "name"},
    {"P.terminationGracePeriodSeconds", "integer"},
    {"P.securityContext", "object"},
    {"P.securityContext.runAsUser", "integer"},
    {"P.securityContext.runAsGroup", "integer"},
    {"P.securityContext.fsGroup", "integer"},
    {"P.securityContext.runAsNonRoot", "boolean"},
    {"P.serviceAccountName", "name"},
    {"P.priorityClassName", "name"},
    {"P.imagePullSecrets", "list"},
    {"P.imagePullSecrets[]", "object"},
    {"P.imagePullSecrets[].name", "name"},
    {"P.tolerations", "list"},
    {"P.tolerations[]", "object"},
    {"P.tolerations[].key", "string"},
    {"P.tolerations[].operator", "Exists Equal"},
    {"P.nodeSelector", "object"},
    {"P.nodeSelector.*", "string"},
    {"C.name", "name"},
    {"C.image", "string"},
    {"C.imagePullPolicy", "Always IfNotPresent Never"},
    {"C.command", "list"},
    {"C.command[]", "string"},
    {"C.args", "list"},
    {"C.args[]", "string"},
    {"C.workingDir", "path"},
    {"C.env", "list"},
    {"C.env[]", "object"},
    {"C.env[].name", "string"},
    {"C.env[].value", "string"},
    {"C.volumeMounts", "list"},
    {"C.volumeMounts[]", "object"},
    {"C.volumeMounts[].name", "name"},
    {"C.volumeMounts[].mountPath", "path"},
    {"C.volumeMounts[].readOnly", "boolean"},
    {"C.resources", "object"},
    {"C.resources.requests", "object"},
    {"C.resources.requests.*", "quantity"},
    {"C.resources.limits", "object"},
    {"C.resources.limits.*", "quantity"},
    {"C.readinessProbe", "object"},
    {"C.readinessProbe.tcpSocket", "object"},
    {"C.readinessProbe.tcpSocket.port", "integer"},
    {"C.readinessProbe.periodSeconds", "integer"},
};

/// The long beginnings of paths, shortened to the letters that the table has for them.
std::string short_form(std::string path) {
  const std::vector<std::pair<std::string, std::string>> beginnings{{"spec.mpiReplicaSpecs.Launcher.", "R."},
                                                                    {"spec.mpiReplicaSpecs.Worker.", "R."},
                                                                    {"R.template.spec.", "P."},
                                                                    {"P.containers[].", "C."}};
  for (const auto& [beginning, letter] : beginnings) {
    if (path.starts_with(beginning)) path = letter + path.substr(beginning.size());
  }
  return path;
}

bool is_name(const std::string& text) {  // RFC 1123
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'; };
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), fits) && text.front() != '-' &&
         text.back() != '-';
}

bool fits(const json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "list") return value.is_array();
  if (type == "integer") return value.is_number_integer();
  if (type == "boolean") return value.is_boolean();
  if (type == "quantity") return value.is_number_integer() || value.is_string();
  if (!value.is_string()) return false;
  const std::string text = value.get<std::string>();
  if (type == "string") return true;
  if (type == "name") return is_name(text);
  if (type == "path") return text.starts_with("/");
  return (" " + type + " ").find(" " + text + " ") != std::string::npos;
}

void check_fields(const json& value, const std::string& path) {
  if (!path.empty()) {
    const std::string known = short_form(path), parent = known.substr(0, known.rfind('.'));
    const auto field = kFields.contains(known) ? kFields.find(known) : kFields.find(parent + ".*");
    ASSERT_NE(field, kFields.end()) << "there is no field " << path;
    EXPECT_TRUE(fits(value, field->second)) << path << " is no " << field->second << ": " << value;
    if (field->first.ends_with(".*")) return;
  }
  if (value.is_array()) {
    for (const json& element : value) check_fields(element, path + "[]");
  }
  if (value.is_object() && !kFields.contains(short_form(path) + ".*")) {
    for (const auto& [key, member] : value.items()) check_fields(member, path.empty() ? key : path + "." + key);
  } else if (value.is_object()) {
    for (const auto& [key, member] : value.items()) {
      EXPECT_TRUE(fits(member, kFields.at(short_form(path) + ".*"))) << path << " " << key;
    }
  }
}

const json& worker_pod(const json& documents) {
  return documents.at(1).at("spec").at("mpiReplicaSpecs").at("Worker").at("template").at("spec");
}
const json& launcher_pod(const json& documents) {
  return documents.at(1).at("spec").at("mpiReplicaSpecs").at("Launcher").at("template").at("spec");
}

/// A text as a container gets it: Kubernetes fills in $(NAME), and $$ is a $.
std::string as_the_container_gets_it(const std::string& text, const std::map<std::string, std::string>& variables) {
  std::string expanded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text.compare(at, 2, "$$") == 0) {
      expanded += '$';
      ++at;
    } else if (const std::size_t end = text.find(')', at); text.compare(at, 2, "$(") == 0 && end != std::string::npos &&
                                                           variables.contains(text.substr(at + 2, end - at - 2))) {
      expanded += variables.at(text.substr(at + 2, end - at - 2));
      at = end;
    } else {
      expanded += text[at];
    }
  }
  return expanded;
}

TEST(KubernetesManifest, HasNoFieldThatTheOperatorAndKubernetesDoNotDocument) {
  ETUDE_NEEDS_ORACLE();
  for (const std::string& yaml :
       {kCluster, std::string("engine: kubernetes\nimage: etude\nuser: 0\nvolumes: {a: /data}\nshared_memory: ''\n"),
        std::string("engine: kubernetes\nimage: etude\nvolumes: {a: /data}\nsetup: /data/setup.sh\ncpu: 4\n")}) {
    const json documents = read_yaml(RemoteJob(yaml).script());
    ASSERT_EQ(documents.size(), 2u);
    EXPECT_EQ(documents[0].at("apiVersion"), "v1");
    EXPECT_EQ(documents[0].at("kind"), "ConfigMap");
    EXPECT_EQ(documents[1].at("apiVersion"), "kubeflow.org/v2beta1");
    EXPECT_EQ(documents[1].at("kind"), "MPIJob");
    for (const json& document : documents) check_fields(document, "");
    for (const json* pod : {&launcher_pod(documents), &worker_pod(documents)}) {
      for (const json& container : pod->at("containers")) {
        for (const json& mount : container.at("volumeMounts")) {
          const json& volumes = pod->at("volumes");
          EXPECT_TRUE(std::any_of(volumes.begin(), volumes.end(),
                                  [&](const json& volume) { return volume.at("name") == mount.at("name"); }));
        }
      }
    }
  }
}

TEST(KubernetesManifest, AsksForWhatTheClusterFileSays) {
  ETUDE_NEEDS_ORACLE();
  RemoteJob here(kCluster);
  const json documents = read_yaml(here.script());
  const json& spec = documents[1].at("spec");
  EXPECT_EQ(documents[1].at("metadata").at("name"), "etude-demo-1f3a9c04");
  EXPECT_EQ(documents[1].at("metadata").at("namespace"), "music");
  EXPECT_EQ(documents[1].at("metadata").at("labels").at("kueue.x-k8s.io/queue-name"), "music");
  EXPECT_EQ(spec.at("slotsPerWorker"), 8);
  EXPECT_EQ(spec.at("sshAuthMountPath"), "/etc/etude/ssh");
  EXPECT_EQ(spec.at("runPolicy"), json::parse(R"({"cleanPodPolicy": "Running", "backoffLimit": 4,
                                                  "activeDeadlineSeconds": 7080})"));  // two hours less the warning
  EXPECT_EQ(spec.at("mpiReplicaSpecs").at("Launcher").at("replicas"), 1);
  EXPECT_EQ(spec.at("mpiReplicaSpecs").at("Worker").at("replicas"), 2);
  const json& worker = worker_pod(documents);
  EXPECT_EQ(worker.at("containers")[0].at("resources").at("limits"),
            json::parse(R"({"cpu": "96", "memory": "900Gi", "nvidia.com/gpu": 8})"));
  EXPECT_EQ(worker.at("nodeSelector"), json::parse(R"({"gpu/kind": "h100"})"));
  EXPECT_EQ(worker.at("containers")[0].at("readinessProbe").at("tcpSocket").at("port"), 2222);
  const json& launcher = launcher_pod(documents);
  EXPECT_FALSE(launcher.contains("nodeSelector"));
  EXPECT_FALSE(launcher.at("containers")[0].at("resources").contains("limits"));
  EXPECT_EQ(launcher.at("containers")[0].at("command"), json::parse(R"(["etude"])"));
  EXPECT_EQ(launcher.at("containers")[0].at("args"), json::parse(R"(["supervise", "/etc/etude/order"])"));
  EXPECT_EQ(launcher.at("containers")[0].at("workingDir"), "/data");
  EXPECT_EQ(launcher.at("containers")[0].at("env"), json::parse(R"([{"name": "NCCL_DEBUG", "value": "WARN"}])"));
  for (const json* pod : {&launcher, &worker}) {
    EXPECT_EQ(pod->at("securityContext").at("runAsUser"), 1000);
    EXPECT_EQ(pod->at("serviceAccountName"), "trainer");
    EXPECT_EQ(pod->at("priorityClassName"), "high");
    EXPECT_EQ(pod->at("imagePullSecrets"), json::parse(R"([{"name": "registry"}])"));
    EXPECT_EQ(pod->at("tolerations"), json::parse(R"([{"key": "nvidia.com/gpu", "operator": "Exists"}])"));
    EXPECT_EQ(pod->at("terminationGracePeriodSeconds"), 150);
    EXPECT_EQ(pod->at("containers")[0].at("imagePullPolicy"), "Always");
  }
}

TEST(KubernetesManifest, CarriesTheOrderToEveryPod) {
  ETUDE_NEEDS_ORACLE();
  const std::string experiment = "name: demo\ntrain:\n  lr: 1.0e-3\n\n  # Größe\n";
  RemoteJob here(kCluster, experiment);
  const json documents = read_yaml(here.script());
  const json& data = documents[0].at("data");
  EXPECT_EQ(data.at("experiment.yaml"), experiment);
  EXPECT_EQ(data.at("cluster.yaml"), etude::launch::to_yaml(*here.cluster));
  const json job = json::parse(data.at("job.json").get<std::string>());
  EXPECT_EQ(job.at("run"), "/data/runs/demo");
  EXPECT_EQ(job.at("order"), "/etc/etude/order");
  EXPECT_EQ(job.at("program"), "etude");
  EXPECT_EQ(documents[0].at("metadata").at("name"), "etude-demo-1f3a9c04-order");
  for (const json* pod : {&launcher_pod(documents), &worker_pod(documents)}) {
    EXPECT_EQ(pod->at("volumes")[0].at("configMap").at("name"), "etude-demo-1f3a9c04-order");
    EXPECT_EQ(pod->at("containers")[0].at("volumeMounts")[0].at("mountPath"), "/etc/etude/order");
  }
}

TEST(KubernetesManifest, TextsThatWouldDoHarmAreTextsInTheContainer) {
  ETUDE_NEEDS_ORACLE();
  std::string yaml = kCluster;
  json environment;
  for (std::size_t i = 0; i < kHostile.size(); ++i) environment["V" + std::to_string(i)] = kHostile[i];
  environment["HOME"] = "elsewhere";
  yaml.replace(yaml.find("{NCCL_DEBUG: WARN}"), 18, environment.dump());
  RemoteJob here(yaml, kHostile.front());
  const json documents = read_yaml(here.script());
  ASSERT_EQ(documents.size(), 2u);
  for (const json& document : documents) check_fields(document, "");
  json received;
  for (const json& variable : launcher_pod(documents).at("containers")[0].at("env")) {
    received[variable.at("name").get<std::string>()] =
        as_the_container_gets_it(variable.at("value").get<std::string>(), {{"HOME", "elsewhere"}});
  }
  EXPECT_EQ(received, environment);
}

TEST(KubernetesManifest, AnExperimentOfAnyTextArrivesAsItIs) {
  ETUDE_NEEDS_ORACLE();
  std::string all;
  for (const std::string& experiment : kHostile) all += RemoteJob(kCluster, experiment).script();
  const json documents = read_yaml(all);
  ASSERT_EQ(documents.size(), 2 * kHostile.size());
  for (std::size_t i = 0; i < kHostile.size(); ++i) {
    EXPECT_EQ(documents[2 * i].at("data").at("experiment.yaml"), kHostile[i]);
  }
}

TEST(KubernetesManifest, AProgramOfAnyNameIsOneWord) {
  ETUDE_NEEDS_ORACLE();
  std::string all;
  for (const std::string& program : kHostile) {
    all += RemoteJob("engine: kubernetes\nimage: e\nvolumes: {a: /data}\nprogram: " + json(program).dump() + "\n")
               .script();
  }
  const json documents = read_yaml(all);
  ASSERT_EQ(documents.size(), 2 * kHostile.size());
  for (std::size_t i = 0; i < kHostile.size(); ++i) {
    const json& container = documents[2 * i + 1]
                                .at("spec")
                                .at("mpiReplicaSpecs")
                                .at("Launcher")
                                .at("template")
                                .at("spec")
                                .at("containers")[0];
    ASSERT_EQ(container.at("command").size(), 1u);
    EXPECT_EQ(as_the_container_gets_it(container.at("command")[0].get<std::string>(), {}), kHostile[i]);
    EXPECT_EQ(container.at("args").size(), 2u);
  }
}

TEST(KubernetesManifest, EveryOtherKeyRefusesWhatKubernetesCouldNotTake) {
  const std::vector<std::string> keys{
      "context",         "namespace",      "image",     "cpu",   "memory",      "shared_memory",     "gpu_resource",
      "service_account", "priority_class", "directory", "setup", "tolerations", "image_pull_secrets"};
  for (const std::string& key : keys) {
    for (const std::string text : {"$(touch hit)", "`touch hit`", "; touch hit", "a\nb", "--help", "a b", "'", "\""}) {
      const std::string yaml = "engine: kubernetes\n" + std::string(key == "image" ? "" : "image: e\n") +
                               "volumes: {a: /data}\n" + key + ": " + json(text).dump() + "\n";
      EXPECT_THROW(RemoteJob{yaml}, UsageError) << key << " " << text;
    }
  }
  for (const std::string key : {"volumes", "node_selector", "labels"}) {
    for (const std::string text : {"$(touch hit)", "a\nb", "--help", "a b"}) {
      EXPECT_THROW(RemoteJob("engine: kubernetes\nimage: e\n" + key + ": {a: " + json(text).dump() + "}\n"),
                   UsageError);
      EXPECT_THROW(RemoteJob("engine: kubernetes\nimage: e\n" + key + ": {" + json(text).dump() + ": /data}\n"),
                   UsageError);
    }
  }
}

TEST(KubernetesManifest, RefusesARunThatWouldGoWithItsPods) {
  try {
    RemoteJob here("engine: kubernetes\nimage: e\nvolumes: {a: /packs}\n");
    FAIL() << "a run on no volume was taken";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("/data/runs/demo"));
    EXPECT_THAT(error.what(), HasSubstr("volumes"));
  }
}

TEST(KubernetesManifest, RefusesNamesTooLongForPods) {
  RemoteJob here(kCluster);
  here.job.token = std::string("etude-") + std::string(50, 'a');
  here.cluster->nodes = 1;
  EXPECT_THROW(here.script(), UsageError);  // 56 letters and -worker-0
  here.job.token = std::string("etude-") + std::string(48, 'a');
  EXPECT_NO_THROW(here.script());
  here.cluster->nodes = 11;
  EXPECT_THROW(here.script(), UsageError);
}

/// Conditions as the operator's README and its code give them.
std::string mpi_job_with(const std::string& conditions, const std::string& more = "") {
  return R"({"apiVersion": "kubeflow.org/v2beta1", "kind": "MPIJob", "status": {"conditions": [)" + conditions + "]" +
         more + "}}";
}
std::string condition(const std::string& type, const std::string& status, const std::string& reason,
                      const std::string& message = "") {
  return json{{"type", type}, {"status", status}, {"reason", reason}, {"message", message}}.dump();
}

TEST(KubernetesState, IsWhatTheOperatorSays) {
  const std::string created = condition("Created", "True", "MPIJobCreated");
  const std::vector<std::tuple<std::string, Phase, std::string>> cases{
      {R"({"kind": "MPIJob"})", Phase::kQueued, "not yet seen"},
      {mpi_job_with(created), Phase::kQueued, "Created"},
      {mpi_job_with(created + "," + condition("Suspended", "True", "MPIJobSuspended")), Phase::kQueued, "Suspended"},
      {mpi_job_with(created + "," + condition("Running", "True", "MPIJobRunning")), Phase::kRunning, "Running"},
      {mpi_job_with(created + "," + condition("Running", "False", "MPIJobSuspended")), Phase::kQueued, "Created"},
      {mpi_job_with(created + "," + condition("Running", "True", "MPIJobRunning") + "," +
                    condition("Failed", "True", "MPIJobEvicted", "1/2 workers are evicted")),
       Phase::kRunning, "1/2 workers are evicted"},
      {mpi_job_with(created + "," + condition("Running", "False", "MPIJobRunning") + "," +
                    condition("Succeeded", "True", "MPIJobSucceeded")),
       Phase::kEnded, "Succeeded"},
      {mpi_job_with(created + "," + condition("Failed", "True", "BackoffLimitExceeded", "Job has reached the limit"),
                    R"(, "completionTime": "2026-01-31T12:00:00Z")"),
       Phase::kEnded, "Job has reached the limit"},
      {mpi_job_with(created + "," + condition("Failed", "True", "DeadlineExceeded"),
                    R"(, "completionTime": "2026-01-31T12:00:00Z")"),
       Phase::kEnded, "DeadlineExceeded"},
  };
  for (const auto& [answer, phase, words] : cases) {
    StandIn kubectl("kubectl");
    kubectl.answer("get-mpijobs.kubeflow.org", answer);
    kubectl.answer("get-pods", R"({"items": []})");
    RemoteJob here(kCluster);
    const EngineState state = here.engine().state(here.job);
    EXPECT_EQ(state.phase, phase) << answer;
    EXPECT_THAT(state.words, HasSubstr(words));
  }
}

TEST(KubernetesState, SaysWhyAJobWaits) {
  StandIn kubectl("kubectl");
  kubectl.answer("get-mpijobs.kubeflow.org", mpi_job_with(condition("Created", "True", "MPIJobCreated")));
  RemoteJob here(kCluster);
  kubectl.answer("get-pods", R"({"items": [{"status": {"conditions": [{"type": "PodScheduled", "status": "False",
    "reason": "Unschedulable", "message": "0/4 nodes are available: 4 Insufficient nvidia.com/gpu."}]}}]})");
  EXPECT_THAT(here.engine().state(here.job).words, HasSubstr("4 Insufficient nvidia.com/gpu"));
  kubectl.answer("get-pods", R"({"items": [{"status": {"containerStatuses": [{"state": {"waiting":
    {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}}]}}]})");
  EXPECT_THAT(here.engine().state(here.job).words, HasSubstr("ImagePullBackOff"));
  EXPECT_EQ(here.engine().state(here.job).phase, Phase::kQueued);
}

// What kubectl 1.32 said where nothing listened.
const std::string kNoServer =
    "E1121 21:06:46.339797   11153 memcache.go:265] \"Unhandled Error\" err=\"couldn't get current server API group "
    "list: "
    "Get \\\"http://127.0.0.1:9/api?timeout=5s\\\": dial tcp 127.0.0.1:9: connect: connection refused\"\n"
    "The connection to the server 127.0.0.1:9 was refused - did you specify the right host or port?\n";

TEST(KubernetesState, AServerOutOfReachIsNotAFailedJob) {
  StandIn kubectl("kubectl");
  kubectl.answer("get-mpijobs.kubeflow.org", "", kNoServer, 1);
  kubectl.answer("apply", "", kNoServer, 1);
  RemoteJob here(kCluster);
  const EngineState state = here.engine().state(here.job);
  EXPECT_EQ(state.phase, Phase::kUnknown);
  EXPECT_EQ(state.words,
            "The connection to the server 127.0.0.1:9 was refused - did you specify the right host or port?");
  EXPECT_THROW(here.engine().find(here.job), etude::Error);
  try {
    here.engine().submit(*here.cluster, {&here.job});
    FAIL() << "submitted to nobody";
  } catch (const UsageError&) {
    FAIL() << "a server out of reach is nobody's misuse";
  } catch (const etude::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("was refused"));
  }
}

TEST(KubernetesState, AnEmptyAnswerMeansThatThereIsNoSuchJob) {
  StandIn kubectl("kubectl");
  RemoteJob here(kCluster);
  EXPECT_EQ(here.engine().state(here.job).phase, Phase::kAbsent);
  EXPECT_EQ(here.engine().find(here.job), std::nullopt);
  kubectl.answer("get-mpijobs.kubeflow.org", "mpijob.kubeflow.org/etude-demo-1f3a9c04\n");
  EXPECT_EQ(here.engine().find(here.job), "etude-demo-1f3a9c04");
}

TEST(KubernetesCommands, AreKubectlsWithTheJobsNamespaceAndContext) {
  StandIn kubectl("kubectl");
  RemoteJob here(kCluster);
  here.engine().submit(*here.cluster, {&here.job});
  EXPECT_EQ(here.job.id, "etude-demo-1f3a9c04");
  EXPECT_THAT(kubectl.last_call(),
              ElementsAre("--namespace=music", "--request-timeout=30s", "--context=lab", "apply", "-f", "-"));
  EXPECT_EQ(kubectl.input(), here.script());
  here.engine().cancel(here.job);
  EXPECT_THAT(kubectl.calls(), HasSubstr("delete mpijobs.kubeflow.org/etude-demo-1f3a9c04 "
                                         "configmap/etude-demo-1f3a9c04-order --ignore-not-found"));
  kubectl.answer("get-mpijobs.kubeflow.org", mpi_job_with(condition("Created", "True", "MPIJobCreated")));
  here.engine().ask_to_stop(here.job);
  EXPECT_THAT(kubectl.calls(), ::testing::Not(HasSubstr("exec")));
  kubectl.answer("get-mpijobs.kubeflow.org", mpi_job_with(condition("Running", "True", "MPIJobRunning")));
  here.engine().ask_to_stop(here.job);
  EXPECT_THAT(kubectl.calls(), HasSubstr("exec job/etude-demo-1f3a9c04-launcher -c launcher -- touch -- "
                                         "/data/runs/demo/job/stop-etude-demo-1f3a9c04"));
  kubectl.answer("logs-training.kubeflow.org/job-name=etude-demo-1f3a9c04,training.kubeflow.org/job-role=launcher", "");
  here.engine().logs(here.job);
  EXPECT_THAT(kubectl.calls(), HasSubstr("--tail=-1"));
}

TEST(KubernetesCommands, ARefusalIsToldInKubectlsWordsWithAWayOut) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"Error from server (Forbidden): mpijobs.kubeflow.org is forbidden: User \"bob\" cannot create resource",
       "ask for"},
      {"error: resource mapping not found for name: \"x\" namespace: \"music\" from \"STDIN\": no matches for kind "
       "\"MPIJob\" "
       "in version \"kubeflow.org/v2beta1\"",
       "MPI operator"},
      {"Error from server (NotFound): error when creating \"STDIN\": namespaces \"music\" not found", "namespace"},
      {"Error in configuration: context was not found for specified context: lab", "get-contexts"}};
  for (const auto& [words, way_out] : cases) {
    StandIn kubectl("kubectl");
    kubectl.answer("apply", "", words + "\n", 1);
    RemoteJob here(kCluster);
    try {
      here.engine().submit(*here.cluster, {&here.job});
      FAIL() << words;
    } catch (const UsageError& error) {
      EXPECT_THAT(error.what(), HasSubstr(words));
      EXPECT_THAT(std::string(error.what()).substr(std::string(error.what()).find(words) + words.size()),
                  HasSubstr(way_out));
    }
  }
}

TEST(KubernetesCommands, AreUnderstoodByKubectlItself) {
  if (run_shell("command -v kubectl").exit_code != 0) GTEST_SKIP() << "there is no kubectl on the PATH";
  TemporaryFolder folder;
  const std::string nobody = "http://127.0.0.1:" + std::to_string(etude::testing::free_port());
  std::ofstream(folder.path() / "config") << R"({"apiVersion": "v1", "kind": "Config", "current-context": "lab",
    "clusters": [{"name": "c", "cluster": {"server": ")" +
                                                 nobody + R"("}}], "users": [{"name": "u", "user": {}}],
    "contexts": [{"name": "lab", "context": {"cluster": "c", "user": "u"}}]})";
  ::setenv("KUBECONFIG", (folder.path() / "config").c_str(), 1);
  ::setenv("HOME", folder.path().c_str(), 1);  // where it keeps what servers told it
  RemoteJob here(kCluster);
  auto& engine = here.engine();
  EXPECT_EQ(engine.state(here.job).phase, Phase::kUnknown);
  EXPECT_THAT(engine.state(here.job).words, HasSubstr("refused"));
  for (const std::function<void()>& ask : std::vector<std::function<void()>>{
           [&] { engine.submit(*here.cluster, {&here.job}); }, [&] { engine.find(here.job); },
           [&] { engine.cancel(here.job); }, [&] { engine.ask_to_stop(here.job); }, [&] { engine.logs(here.job); }}) {
    try {
      ask();
      ADD_FAILURE() << "nobody answered, and nothing was said";
    } catch (const UsageError& error) {
      ADD_FAILURE() << error.what();
    } catch (const etude::Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("refused"));
    }
  }
  ::unsetenv("KUBECONFIG");
}

TEST(KubernetesDoctor, NamesWhatIsMissing) {
  StandIn kubectl("kubectl");
  kubectl.answer("api-resources", "mpijobs   kubeflow.org/v1   true   MPIJob\n");
  kubectl.answer("get-persistentvolumeclaim", "",
                 "Error from server (NotFound): persistentvolumeclaims \"scratch\" not found\n", 1);
  kubectl.answer("auth-can-i", "no\n", "", 1);
  RemoteJob here(kCluster);
  std::map<std::string, std::string> bad;
  for (const auto& finding : here.engine().examine(*here.cluster)) {
    EXPECT_EQ(finding.good, finding.way_out.empty()) << finding.what;
    if (!finding.good) bad[finding.what] = finding.way_out;
  }
  EXPECT_EQ(bad.size(), 5u);  // the operator's version, two rights, two claims
  EXPECT_TRUE(bad.contains("the MPI operator: the cluster has no MPIJob of kubeflow.org/v2beta1"));
  kubectl.answer("version", "", kNoServer, 1);
  EXPECT_EQ(here.engine().examine(*here.cluster).size(), 1u);
}

TEST(KubernetesRanks, AreStartedOnTheOperatorsHosts) {
  TemporaryFolder folder;
  std::ofstream(folder.path() / "hostfile")
      << "etude-worker-0.etude.music.svc slots=8\netude-worker-1.etude.music.svc slots=8\n";
  ::setenv("OMPI_MCA_orte_default_hostfile", (folder.path() / "hostfile").c_str(), 1);
  RemoteJob here(kCluster);
  const auto command = here.engine().start_ranks(*here.cluster, here.job, {"etude", "train", "x.yaml", "--resume"});
  ::unsetenv("OMPI_MCA_orte_default_hostfile");
  const std::string line = etude::process::shell_line(command);
  EXPECT_THAT(line, ::testing::StartsWith(
                        "mpirun -n 16 -H etude-worker-0.etude.music.svc:8,etude-worker-1.etude.music.svc:8 "));
  EXPECT_THAT(line, HasSubstr("--map-by ppr:8:node --bind-to none"));
  EXPECT_THAT(line, HasSubstr("-x NCCL_DEBUG"));
  EXPECT_THAT(line, HasSubstr("-p 2222 -i /etc/etude/ssh/id_rsa"));
  EXPECT_TRUE(line.ends_with("etude train x.yaml --resume --set train.threads=12")) << line;
  EXPECT_THROW(here.engine().start_ranks(*here.cluster, here.job, {}), etude::Error);
}

/// Words of a container's command or of ssh, with the folder of keys where the test has it.
std::string with_keys_in(const std::filesystem::path& folder, const std::vector<std::string>& words) {
  std::string line;
  for (std::string word : words) {
    const std::string there = "/etc/etude/ssh";
    if (const std::size_t at = word.find(there); at != std::string::npos)
      word.replace(at, there.size(), folder.string());
    line += etude::process::shell_word(word) + " ";
  }
  return line;
}

TEST(KubernetesWorkers, AreReachedBySshAsAUserWhoIsNotRootWithTheOperatorsKeyAlone) {
  ETUDE_NEEDS_ORACLE();
  if (::geteuid() != 0 || !std::filesystem::exists("/usr/sbin/sshd") ||
      run_shell("command -v setpriv ssh").exit_code != 0) {
    GTEST_SKIP() << "needs root, who owns the keys as in a pod, sshd, ssh and setpriv";
  }
  TemporaryFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms{0755});
  const std::filesystem::path keys = folder.path() / "keys";
  // What the operator mounts: an ECDSA key of 521 bits in PEM, files that everybody may read and root owns.
  ASSERT_EQ(
      run_shell(
          "mkdir " + keys.string() + " && cd " + keys.string() +
          " && ssh-keygen -q -t ecdsa -b 521 -m PEM -N '' -f id_rsa && cp id_rsa.pub authorized_keys && chmod 644 *")
          .exit_code,
      0);
  const int port = etude::testing::free_port();
  RemoteJob here("engine: kubernetes\nimage: e\nvolumes: {a: /data}\nssh_port: " + std::to_string(port) + "\n");
  const json documents = read_yaml(here.script());
  const json& container = worker_pod(documents).at("containers")[0];
  std::vector<std::string> words = container.at("command");
  for (const json& word : container.at("args")) words.push_back(word);
  const std::string as_user = "setpriv --reuid games --regid games --clear-groups ";
  etude::testing::Background server(as_user + with_keys_in(keys, words), (folder.path() / "log").string());
  etude::launch::KubernetesOptions options;
  options.ssh_port = port;
  const std::string client = as_user + "ssh " + with_keys_in(keys, etude::launch::kubernetes::ssh_options(options)) +
                             "-l games 127.0.0.1 true";
  const auto log = [&] { return etude::testing::slurp(folder.path() / "log"); };
  ASSERT_TRUE(etude::testing::eventually([&] { return log().find("listening on") != std::string::npos; })) << log();
  const auto result = run_shell(client);
  EXPECT_THAT(log(), HasSubstr("Accepted publickey for games")) << result.errors;  // whose shell lets nobody in
  std::filesystem::remove(keys / "authorized_keys");
  run_shell(client);
  EXPECT_THAT(log(), ::testing::Not(HasSubstr("Accepted password")));
  EXPECT_EQ(log().find("Accepted", log().find("Accepted") + 1), std::string::npos) << log();
}

}  // namespace
