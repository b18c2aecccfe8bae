#include "launch/skypilot.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <sstream>

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

using Clock = std::chrono::steady_clock;

constexpr double kPatience = 120;         ///< seconds for one command of sky
constexpr double kLaunchPatience = 3600;  ///< for a launch, which may have to make the jobs controller first
constexpr std::chrono::seconds kQueueAge{5};
constexpr const char* kOrder = "/etude/order";
constexpr const char* kInstall = "/etude/install.sh";
constexpr const char* kHosts = "SKYPILOT_NODE_IPS";  // set by SkyPilot, one a line, the first node's first

process::Outcome sky(const process::Command& arguments, double seconds = kPatience) {
  if (!process::find_program("sky")) throw Error("there is no sky on the PATH; 'pip install skypilot' has it");
  process::Command command{"sky"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return process::run(command, {.seconds = seconds});
}

bool is_bucket(const std::string& source) { return source.find("://") != std::string::npos; }

/// SkyPilot fills in its environment variables wherever a $ stands in the paths of a task.
void require_source(const std::string& key, const std::string& source) {
  const bool good = !source.empty() && source[0] != '-' && std::none_of(source.begin(), source.end(), [](char c) {
    return c == '$' || static_cast<unsigned char>(c) < ' ' || c == '\x7f';
  });
  if (!good) {
    throw UsageError(fmt::format("{}: {} cannot be: it takes a path or a bucket without $ and line breaks", key,
                                 config::yaml_text(source)));
  }
}

void require_bucket(const std::string& key, const std::string& source) {
  if (!is_bucket(source)) {
    throw UsageError(fmt::format("{}: {} is no bucket; such are s3://NAME/FOLDER, gs://NAME and r2://NAME", key,
                                 config::yaml_text(source)));
  }
  require_plain(key, source, "_:/.-", 1000);
}

/// GPUs a node of "H100:8" or "L4"; nothing where it is neither.
std::optional<std::int64_t> gpus_of(const std::string& accelerators) {
  const std::size_t colon = accelerators.find(':');
  if (colon == std::string::npos) return 1;
  const std::string count = accelerators.substr(colon + 1);
  if (count.empty() || count.size() > 3 || !std::all_of(count.begin(), count.end(), ::isdigit)) return std::nullopt;
  return std::stoll(count);
}

std::vector<std::string> node_addresses() {
  const char* addresses = std::getenv(kHosts);
  if (addresses == nullptr) throw Error(fmt::format("{} is not set: this is no node of a SkyPilot job", kHosts));
  std::istringstream words(addresses);
  std::vector<std::string> hosts;
  for (std::string host; words >> host;) hosts.push_back(host);
  return hosts;
}

/// The array that `--output json` prints, after whatever else was printed.
Manifest array_in(const std::string& output) {
  for (std::size_t at = 0; at < output.size(); at = output.find('\n', at) + 1) {
    if (output[at] == '[') return Manifest::parse(output.substr(at));
    if (output.find('\n', at) == std::string::npos) break;
  }
  throw Error("sky jobs queue: its answer holds no list of jobs");
}

}  // namespace

void SkypilotEngine::describe(config::Section& section) {
  SkypilotOptions& o = options_;
  section.text("infra", o.infra, "Where, as CLOUD, CLOUD/REGION or CLOUD/REGION/ZONE; empty takes what is cheapest.");
  section.text("accelerators", o.accelerators, "GPUs of each node, such as H100:8, as many as gpus_per_node says.");
  section.text("instance_type", o.instance_type,
               "A kind of machine by the cloud's own name; empty lets SkyPilot choose.");
  section.text("cpus", o.cpus, "Virtual cores of each node: 16, or 16+ for no fewer.");
  section.text("memory", o.memory, "GiB of memory of each node: 64, or 64+ for no less.");
  section.text("image", o.image, "Of the machines, such as docker:NAME:TAG; empty takes SkyPilot's own.");
  section.text("network_tier", o.network_tier, "'best' for the fastest network that the cloud has; empty for any.");
  section.boolean("use_spot", o.use_spot, "Takes machines that are cheaper and may be taken away.");
  section.choice("job_recovery", o.recovery,
                 {{"default", SkypilotOptions::Recovery::kDefault},
                  {"failover", SkypilotOptions::Recovery::kFailover},
                  {"eager_next_region", SkypilotOptions::Recovery::kEagerNextRegion}},
                 "Where machines are looked for after some were taken away: first in the same region, or in the next.");
  section.integer("disk_size", o.disk_size, {0, 100'000}, "GB of each node's disk; 0 takes SkyPilot's default.");
  section.texts("buckets", o.buckets,
                "Paths on the nodes, each with the bucket that is mounted there, such as s3://NAME.");
  section.choice(
      "bucket_mode", o.bucket_mode,
      {{"mount_cached", SkypilotOptions::BucketMode::kMountCached}, {"mount", SkypilotOptions::BucketMode::kMount}},
      "How: written to the node's disk and then to the bucket, or at once, which cannot hold checkpoints.");
  section.texts("volumes", o.volumes, "Paths on the nodes, each with the volume of SkyPilot that is mounted there.");
  section.texts(
      "copies", o.copies,
      "Paths on the nodes, each with the file or folder of this machine, or the bucket, that is copied there.");
  section.path("directory", o.directory, "Where relative paths of an experiment begin: packs/… and runs/….");
  section.path("install", o.install,
               "A shell script of this machine that is run once on each new node; empty for none.");
  section.text("network", o.network,
               "Interface or subnet over which nodes talk (ens5, 10.0.0.0/16); empty lets Open MPI choose.");
}

void SkypilotEngine::check(const Cluster& cluster) const {
  const SkypilotOptions& o = options_;
  require_plain("infra", o.infra, "/_.*-");
  require_plain("accelerators", o.accelerators, "_:.-");
  require_plain("instance_type", o.instance_type, "_.-");
  require_plain("cpus", o.cpus, ".+", 20);
  require_plain("memory", o.memory, ".+", 20);
  require_plain("image", o.image, "_:/.@-", 1000);
  require_plain("network_tier", o.network_tier, "", 20);
  require_plain("network", o.network, "./:_-", 100);
  for (const auto& [path, bucket] : o.buckets) {
    require_plain_path("buckets", path);
    require_bucket("buckets." + path, bucket);
  }
  for (const auto& [path, volume] : o.volumes) {
    require_plain_path("volumes", path);
    require_plain("volumes." + path, volume, "_.-");
  }
  for (const auto& [path, source] : o.copies) {
    require_plain_path("copies", path);
    require_source("copies." + path, source);
  }
  require_plain_path("directory", o.directory.string());
  if (!o.install.empty()) require_source("install", o.install.string());
  const std::optional<std::int64_t> gpus = o.accelerators.empty() ? 0 : gpus_of(o.accelerators);
  if (!gpus || (*gpus != cluster.gpus_per_node && o.instance_type.empty())) {
    throw UsageError(fmt::format("accelerators: '{}' does not go with gpus_per_node {}; it takes NAME:{}",
                                 o.accelerators, cluster.gpus_per_node, cluster.gpus_per_node));
  }
  if (cluster.time > 0) {
    throw UsageError("time: SkyPilot ends no job after a time; 'etude launch --max-hours' does, with a checkpoint");
  }
}

void SkypilotEngine::place(const Cluster& cluster, Job& job) const {
  place_remotely(cluster, options_.directory, kOrder, job);
  std::vector<std::string> kept;
  for (const auto* mounts : {&options_.buckets, &options_.volumes}) {
    for (const auto& [path, source] : *mounts) kept.push_back(path);
  }
  require_kept(job, "buckets` or `volumes", kept);
}

std::string SkypilotEngine::script(const Cluster& cluster, const Jobs& jobs) const {
  std::string yaml = "# Handed over with 'sky jobs launch'.\n";
  for (const Job* job : jobs) {
    if (jobs.size() > 1) yaml += "---\n";
    yaml += to_yaml(skypilot::task(options_, cluster, *job));
  }
  return yaml;
}

void SkypilotEngine::submit(const Cluster& cluster, const Jobs& jobs) {
  for (Job* job : jobs) {
    const std::filesystem::path file = job->folder / "task.yaml";
    // sky takes an argument with a space in it for a command.
    require_plain_path("run", file.string());
    files::write_atomically(file, script(cluster, {job}));
    const process::Outcome outcome =
        sky({"jobs", "launch", "--yes", "--detach-run", "--name", job->token, file.string()}, kLaunchPatience);
    if (outcome.code != 0) {
      const std::string words = "sky jobs launch: " + last_words(outcome);
      const bool no_server = words.find("API server") != std::string::npos;
      if (no_server || outcome.code == 124) throw Error(words);
      throw UsageError(words + "; 'sky check' tells which clouds can be used");
    }
    queue_asked_.reset();
    const auto id = find(*job);
    if (!id) throw Error(fmt::format("sky jobs launch: took {}, but 'sky jobs queue' does not list it", job->token));
    job->id = *id;
  }
}

const Manifest& SkypilotEngine::queue() {
  if (queue_asked_ && Clock::now() - *queue_asked_ < kQueueAge) return queue_;
  const process::Outcome outcome = sky({"jobs", "queue", "--all", "--output", "json"});
  if (outcome.code != 0) throw Error("sky jobs queue: " + last_words(outcome));
  queue_ = array_in(outcome.output);
  queue_asked_ = Clock::now();
  return queue_;
}

std::optional<std::string> SkypilotEngine::find(const Job& job) {
  for (const Manifest& record : queue()) {
    if (record.value("job_name", "") == job.token) return record.at("job_id").dump();
  }
  return std::nullopt;
}

EngineState SkypilotEngine::state(const Job& job) {
  try {
    for (const Manifest& record : queue()) {
      if (record.at("job_id").dump() == job.id) return skypilot::state_of(record);
    }
    return {Phase::kAbsent, "SkyPilot knows no such job"};
  } catch (const std::exception& error) {
    return {Phase::kUnknown, error.what()};
  }
}

void SkypilotEngine::cancel(const Job& job) {
  const process::Outcome outcome = sky({"jobs", "cancel", "--yes", job.id});
  if (outcome.code != 0) throw Error("sky jobs cancel: " + last_words(outcome));
}

void SkypilotEngine::ask_to_stop(const Job& job) {
  const process::Outcome outcome = sky({"jobs", "cancel", "--yes", "--graceful", job.id});
  if (outcome.code != 0) throw Error("sky jobs cancel: " + last_words(outcome));
}

std::string SkypilotEngine::logs(const Job& job) {
  // Its exit code is about the job, not about the command.
  const process::Outcome outcome = sky({"jobs", "logs", "--no-follow", "--tail", "0", job.id});
  if (outcome.code != 0 && outcome.output.empty()) throw Error("sky jobs logs: " + last_words(outcome));
  return skypilot::without_prefixes(outcome.output);
}

std::vector<Finding> SkypilotEngine::examine(const Cluster&) {
  if (!process::find_program("sky"))
    return {{false, "sky: not on the PATH", "'pip install skypilot' with your clouds, such as skypilot[aws]"}};
  std::vector<Finding> findings;
  const process::Outcome help = sky({"jobs", "queue", "--help"});
  const bool recent = help.code == 0 && help.output.find("--output") != std::string::npos;
  const process::Outcome version = sky({"--version"});
  const std::string name = version.output.substr(0, version.output.find('\n'));
  findings.push_back({recent, recent ? name : name + ", which cannot print its queue as JSON",
                      recent ? "" : "install a later one: 'pip install --upgrade skypilot' (0.14 will do)"});
  if (!recent) return findings;
  const process::Outcome queue = sky({"jobs", "queue", "--output", "json"});
  const bool answers = queue.code == 0;
  findings.push_back(
      {answers, answers ? "sky: its server answers" : "sky: " + last_words(queue),
       answers ? "" : "'sky api info' shows which server is asked, 'sky check' which clouds can be used"});
  for (const auto& [path, source] : options_.copies) {
    if (is_bucket(source) || std::filesystem::exists(source)) continue;
    findings.push_back({false, fmt::format("copies: {} is not there", source), "make it, or leave it out"});
  }
  if (!options_.install.empty() && !std::filesystem::exists(options_.install)) {
    findings.push_back(
        {false, fmt::format("install: {} is not there", options_.install.string()), "name a script that is"});
  }
  return findings;
}

std::vector<std::string> SkypilotEngine::start_ranks(const Cluster& cluster, const Job&,
                                                     const std::vector<std::string>& train) const {
  // The machines are made for this job: there is no host whose key could be known before.
  process::Command options{
      "--mca", "plm_rsh_args",
      "-o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "
      "-o ConnectionAttempts=10"};
  const process::Command network = over_network(options_.network);
  options.insert(options.end(), network.begin(), network.end());
  return mpirun_over_ssh(cluster, node_addresses(), true, options, train);
}

int SkypilotEngine::nodes(const Cluster& cluster) const {
  return std::getenv(kHosts) != nullptr ? static_cast<int>(node_addresses().size()) : static_cast<int>(cluster.nodes);
}

std::unique_ptr<Engine> make_skypilot_engine() { return std::make_unique<SkypilotEngine>(); }

namespace skypilot {

Manifest task(const SkypilotOptions& o, const Cluster& cluster, const Job& job) {
  Manifest resources = Manifest::object();
  const auto set = [&](const char* key, const std::string& value) {
    if (!value.empty()) resources[key] = value;
  };
  set("infra", o.infra);
  set("accelerators", o.accelerators);
  set("instance_type", o.instance_type);
  set("cpus", o.cpus);
  set("memory", o.memory);
  set("image_id", o.image);
  set("network_tier", o.network_tier);
  if (o.use_spot) resources["use_spot"] = true;
  if (o.disk_size > 0) resources["disk_size"] = o.disk_size;
  if (o.recovery == SkypilotOptions::Recovery::kFailover) resources["job_recovery"] = {{"strategy", "FAILOVER"}};
  if (o.recovery == SkypilotOptions::Recovery::kEagerNextRegion) {
    resources["job_recovery"] = {{"strategy", "EAGER_NEXT_REGION"}};
  }
  Manifest task{{"name", job.token}, {"num_nodes", cluster.nodes}};
  if (!resources.empty()) task["resources"] = resources;
  for (const auto& [variable, value] : cluster.environment) task["envs"][variable] = value;
  Manifest& mounts = task["file_mounts"];
  for (const std::string& file : kOrderFiles) {
    mounts[fmt::format("{}/{}", kOrder, file)] = (job.folder / file).string();
  }
  if (!o.install.empty()) mounts[kInstall] = std::filesystem::absolute(o.install).string();
  for (const auto& [path, source] : o.copies) {
    mounts[path] = is_bucket(source) ? source : std::filesystem::absolute(source).string();
  }
  for (const auto& [path, bucket] : o.buckets) {
    const char* mode = o.bucket_mode == SkypilotOptions::BucketMode::kMountCached ? "MOUNT_CACHED" : "MOUNT";
    mounts[path] = {{"source", bucket}, {"mode", mode}};
  }
  for (const auto& [path, volume] : o.volumes) task["volumes"][path] = volume;
  if (!o.install.empty()) task["setup"] = fmt::format("bash {}\n", kInstall);
  task["run"] = fmt::format(
      "# Each node runs this. The first one's command supervises the run, and reaches the others over ssh.\n"
      "[ \"$SKYPILOT_NODE_RANK\" = 0 ] || exit 0\n"
      "cd {} || exit 1\n"
      "exec {}\n",
      process::shell_word(o.directory.string()),
      process::shell_line(with_setup(cluster.setup, supervise_command(job))));
  return task;
}

EngineState state_of(const Manifest& record) {
  const std::string status = record.value("status", "");
  const auto text = [&](const char* key) {
    return record.contains(key) && record.at(key).is_string() ? record.at(key).get<std::string>() : std::string();
  };
  const std::string why = text("failure_reason").empty() ? text("details") : text("failure_reason");
  const std::string words = why.empty() ? status : fmt::format("{} ({})", status, why);
  const auto is_one_of = [&](std::initializer_list<const char*> all) {
    return std::find(all.begin(), all.end(), status) != all.end();
  };
  if (is_one_of({"PENDING", "SUBMITTED", "STARTING", "RECOVERING"})) return {Phase::kQueued, words};
  if (is_one_of({"RUNNING", "WINDING_DOWN", "CANCELLING"})) return {Phase::kRunning, words};
  if (is_one_of({"SUCCEEDED", "CANCELLED"}) || status.starts_with("FAILED")) return {Phase::kEnded, words};
  return {Phase::kUnknown, words.empty() ? "SkyPilot gives no status" : words};
}

std::string without_prefixes(const std::string& logs) {
  std::istringstream lines(logs);
  std::string plain;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t end = line.find(") ");
    const bool prefixed =
        line.starts_with("(") && end != std::string::npos && line.substr(0, end).find("pid=") != std::string::npos;
    plain += (prefixed ? line.substr(end + 2) : line) + "\n";
  }
  return plain;
}

}  // namespace skypilot

}  // namespace etude::launch
