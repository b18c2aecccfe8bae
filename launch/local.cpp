#include "launch/local.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>
#include <unistd.h>

#include "framework/config/error.h"
#include "framework/files/posix.h"
#include "framework/process/child.h"
#include "launch/cluster.h"
#include "launch/job.h"
#include "launch/remote.h"
#include "launch/supervisor.h"

namespace etude::launch {
namespace {

namespace fs = std::filesystem;

constexpr double kSshPatience = 10;  ///< seconds

/// "node1" or "node1:4", and never anything that ssh or mpirun could take for an option.
Host parse_host(const std::string& text, const std::string& place) {
  const std::size_t colon = text.find(':');
  Host host{text.substr(0, colon), 0};
  const auto fits = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' || c == '_';
  };
  bool good = !host.name.empty() && host.name[0] != '-' && std::all_of(host.name.begin(), host.name.end(), fits);
  if (good && colon != std::string::npos) {
    const std::string count = text.substr(colon + 1);
    good = !count.empty() && count.size() < 5 && count.find_first_not_of("0123456789") == std::string::npos;
    if (good) host.ranks = std::stol(count);
  }
  if (good) return host;
  throw UsageError(fmt::format("{}: '{}' is no host; expected NAME or NAME:RANKS, such as node1:4", place, text));
}

/// Lines of Open MPI's host files: "node1 slots=4".
std::vector<Host> read_hostfile(const fs::path& file) {
  std::ifstream stream(file);
  if (!stream) throw UsageError(fmt::format("hostfile: {} cannot be read", file.string()));
  std::vector<Host> hosts;
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string name, word, ranks;
    if (!(words >> name)) continue;
    while (words >> word) {
      if (word.starts_with("slots=")) ranks = ":" + word.substr(6);
    }
    hosts.push_back(parse_host(name + ranks, fmt::format("{}:{}", file.string(), number)));
  }
  if (hosts.empty()) throw UsageError(fmt::format("hostfile: {} names no host", file.string()));
  return hosts;
}

void restrict_to(const std::vector<int>& cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int core : cores) CPU_SET(core, &set);
  ::sched_setaffinity(0, sizeof set, &set);  // the ranks inherit it
}

/// Starts the supervisor as the leader of a session of its own, and lets it be.
process::Child start_in_background(const process::Command& command, const fs::path& output) {
  const files::Descriptor nothing("/dev/null", O_RDONLY), log(output, O_WRONLY | O_CREAT | O_APPEND, 0644);
  try {
    return process::Child(command,
                          {.streams = {nothing.get(), log.get(), log.get()}, .leads = process::Start::Leads::kSession});
  } catch (const Error& error) {
    throw Error(fmt::format("the supervisor cannot be started (printing into {}): {}", output.string(), error.what()));
  }
}

/// From then on the job is found by its lock. Throws Error for a supervisor that ends before.
void wait_until_it_looks_after(const Job& job, process::Child supervisor) {
  for (int i = 0; i < 3000; ++i) {
    if (supervisor_of(job.folder)) return;
    if (const auto code = supervisor.ended()) {
      if (*code == 0) return;  // there was nothing to do for it
      throw Error(fmt::format("{}: its supervisor ended at once; {} says why", job.name, job.output.string()));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

/// Parts of this machine's memory that are near to some of its cores (NUMA nodes).
std::int64_t memory_nodes() {
  std::int64_t count = 0;
  while (fs::exists(fmt::format("/sys/devices/system/node/node{}", count))) ++count;
  return std::max<std::int64_t>(1, count);
}

bool asked_for(const std::map<std::string, std::string>& environment, const char* name) {
  return environment.contains(name) || std::getenv(name) != nullptr;
}

}  // namespace

void LocalEngine::describe(config::Section& section) {
  section.list("hosts", hosts_,
               "Machines that ssh reaches without a password, as NAME or NAME:RANKS; empty is this machine alone.");
  section.path("hostfile", hostfile_, "The same as a host file of Open MPI (lines of 'NAME slots=RANKS').");
  section.path("ssh_config", ssh_config_, "Configuration for ssh to them; empty takes the user's own.");
  section.text(
      "network", network_,
      "Interface or subnet over which hosts talk to each other (eth1, 10.0.0.0/24); empty lets Open MPI choose.");
  section.list("forward", forward_, "Environment variables of this shell that ranks on other hosts get too.");
  section.integer("cores", cores_, {0, 100'000},
                  "Cores of this machine for a job, so that several can run at once; 0 takes all.");
}

std::vector<Host> LocalEngine::hosts() const {
  if (!hostfile_.empty()) return read_hostfile(hostfile_);
  std::vector<Host> hosts;
  for (const std::string& text : hosts_) hosts.push_back(parse_host(text, "hosts"));
  return hosts;
}

void LocalEngine::check(const Cluster& cluster) const {
  if (!hosts_.empty() && !hostfile_.empty()) throw UsageError("hosts and hostfile cannot both be given");
  const std::vector<Host> all = hosts();
  if (!all.empty() && std::ssize(all) < cluster.nodes) {
    throw UsageError(fmt::format("nodes is {}, but hosts names {}", cluster.nodes, all.size()));
  }
  if (all.empty() && cluster.nodes > 1) {
    throw UsageError(
        fmt::format("nodes is {}, but engine local has this machine alone; name the others in hosts, or "
                    "take a cluster file of a scheduler",
                    cluster.nodes));
  }
  for (const std::string& name : forward_) {
    if (name.empty() || name[0] == '-' || name.find_first_of("=, \n\t") != std::string::npos) {
      throw UsageError(fmt::format("forward: '{}' is no name of a variable", name));
    }
  }
  const auto fits = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || std::strchr("./:_-,", c) != nullptr;
  };
  if (network_.starts_with("-") || !std::all_of(network_.begin(), network_.end(), fits)) {
    throw UsageError(fmt::format("network: '{}' is neither interface nor subnet", network_));
  }
}

void LocalEngine::settle(Cluster& cluster) {
  for (fs::path* path : {&hostfile_, &ssh_config_}) {
    if (!path->empty()) *path = fs::absolute(*path).lexically_normal();
  }
  if (!hosts().empty()) return;
  if (cluster.gpus_per_node == 0) cluster.gpus_per_node = CoreLedger::all_gpus();
  if (cluster.ranks_per_node > 0 || cluster.gpus_per_node > 0) return;
  // Threads of one rank share its weights; ranks pay only where memory has several parts.
  cluster.ranks_per_node = std::min(memory_nodes(), cores_wanted(cluster));
}

std::string LocalEngine::script(const Cluster& cluster, const Jobs& jobs) const {
  std::string text = "#!/bin/sh\n# For people: 'etude launch' starts this without a shell, in the background.\n";
  for (const Job* job : jobs) {
    const process::Command train{job->program, "train", (job->order / "experiment.yaml").string(), "--resume"};
    text += fmt::format("# {} starts:\n#   {}\n", process::shell_word(job->name),
                        process::shell_line(start_ranks(cluster, *job, train)));
    text += fmt::format("{} >> {} 2>&1 &\n", process::shell_line(with_setup(cluster.setup, supervise_command(*job))),
                        process::shell_word(job->output.string()));
  }
  return text;
}

void LocalEngine::submit(const Cluster& cluster, const Jobs& jobs) {
  for (Job* job : jobs) {
    job->id = "local";
    wait_until_it_looks_after(*job,
                              start_in_background(with_setup(cluster.setup, supervise_command(*job)), job->output));
  }
}

std::optional<std::string> LocalEngine::find(const Job& job) {
  return supervisor_of(job.folder) ? std::optional<std::string>("local") : std::nullopt;
}

EngineState LocalEngine::state(const Job& job) {
  if (const auto place = supervisor_of(job.folder)) {
    return {Phase::kRunning, fmt::format("process {} on {}", place->process, place->host)};
  }
  return {Phase::kAbsent, "its supervisor is not there"};
}

void LocalEngine::cancel(const Job& job) {
  const auto place = supervisor_of(job.folder);
  if (!place || place->process <= 1) return;
  if (::kill(place->process, SIGTERM) != 0) {
    throw Error(fmt::format("{}: process {} on {} cannot be ended from here: {}", job.name, place->process, place->host,
                            std::strerror(errno)));
  }
}

std::vector<std::string> LocalEngine::ssh_arguments() const {
  std::vector<std::string> arguments{"-o", "BatchMode=yes", "-o", "ConnectTimeout=5"};
  if (!ssh_config_.empty()) arguments.insert(arguments.end(), {"-F", ssh_config_.string()});
  return arguments;
}

process::Outcome LocalEngine::run_on(const Host& host, const process::Command& command, double seconds) const {
  process::Command ssh{"ssh"};
  const std::vector<std::string> arguments = ssh_arguments();
  ssh.insert(ssh.end(), arguments.begin(), arguments.end());
  ssh.insert(ssh.end(), {host.name, process::shell_line(command)});  // which ssh hands to a shell over there
  return process::run(ssh, {.seconds = seconds});
}

bool LocalEngine::answers(const Host& host) const { return run_on(host, {"true"}, kSshPatience).code == 0; }

void LocalEngine::take_turn(const Cluster& cluster, const std::function<bool()>& go_on) {
  const std::vector<Host> all = hosts();
  if (all.empty()) {
    if (!ledger_.cores().empty()) return;  // held since the first attempt
    if (ledger_.take(cores_wanted(cluster), cluster.gpus_per_node, go_on)) restrict_to(ledger_.cores());
    return;
  }
  const std::int64_t needed = cluster.min_nodes > 0 ? cluster.min_nodes : cluster.nodes;
  do {
    answering_.clear();
    for (const Host& host : all) {
      if (std::ssize(answering_) < cluster.nodes && answers(host)) answering_.push_back(host);
    }
  } while (std::ssize(answering_) < needed && go_on());
}

std::int64_t LocalEngine::cores_wanted(const Cluster& cluster) const {
  const std::int64_t all = std::ssize(CoreLedger::all_cores());
  if (cores_ > 0) return std::min(all, cores_);
  if (cluster.cores_per_rank > 0) return std::min(all, cluster.cores_per_rank * cluster.ranks_on_each_node());
  return all;
}

std::int64_t LocalEngine::cores_on_each_node(const Cluster& cluster) const {
  return hosts().empty() ? cores_wanted(cluster) : Engine::cores_on_each_node(cluster);
}

int LocalEngine::nodes(const Cluster& cluster) const {
  if (hosts().empty()) return 1;
  return static_cast<int>(answering_.empty() ? cluster.nodes : std::ssize(answering_));
}

std::vector<std::string> LocalEngine::start_ranks(const Cluster& cluster, const Job&,
                                                  const std::vector<std::string>& train) const {
  std::vector<Host> used = answering_.empty() ? hosts() : answering_;
  used.resize(std::min(used.size(), static_cast<std::size_t>(cluster.nodes)));
  std::int64_t ranks = used.empty() ? cluster.ranks_on_each_node() : 0;
  std::vector<std::string> slots;
  for (const Host& host : used) {
    const std::int64_t here = host.ranks > 0 ? host.ranks : cluster.ranks_on_each_node();
    slots.push_back(fmt::format("{}:{}", host.name, here));
    ranks += here;
  }
  process::Command command{"mpirun", "--quiet", "-n", fmt::format("{}", ranks), "--bind-to", "none"};
  const auto add = [&](const process::Command& words) { command.insert(command.end(), words.begin(), words.end()); };
  if (used.empty()) {
    add({"--oversubscribe"});
  } else {
    add({"--host", fmt::format("{}", fmt::join(slots, ","))});
    add({"--mca", "plm_rsh_args", process::shell_line(ssh_arguments())});
    add(over_network(network_));
    add(notice_lost_machines());
    for (const auto& [name, value] : environment(cluster)) add({"-x", name});
    for (const std::string& name : forward_) add({"-x", name});
  }
  add(train);
  return command;
}

std::map<std::string, std::string> LocalEngine::environment(const Cluster& cluster) const {
  std::map<std::string, std::string> variables = cluster.environment;
  // mpirun does not divide the cores that a job was given; each rank takes its share of them.
  variables["ETUDE_SHARE_CORES"] = "1";
  if (!ledger_.gpus().empty() && !asked_for(variables, "CUDA_VISIBLE_DEVICES")) {
    variables["CUDA_VISIBLE_DEVICES"] = fmt::format("{}", fmt::join(ledger_.gpus(), ","));
  }
  if (::geteuid() == 0) {  // as in containers; what is started is this program and no other
    for (const char* name : {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"}) variables[name] = "1";
  }
  return variables;
}

std::vector<Finding> LocalEngine::examine(const Cluster& cluster) {
  std::vector<Finding> findings;
  const process::Outcome version = process::run({"mpirun", "--version"});
  findings.push_back({version.code == 0, version.code == 0 ? version.complaint() : "mpirun is not here",
                      "script/setup installs Open MPI (apt: openmpi-bin)"});
  findings.push_back(
      {true, fmt::format("{} cores and {} GPUs here", CoreLedger::all_cores().size(), CoreLedger::all_gpus()), ""});
  if (cores_ > std::ssize(CoreLedger::all_cores())) {
    findings.push_back({false, fmt::format("cores: {} are wanted", cores_), "fewer cores in the cluster file"});
  }
  for (const Host& host : hosts()) {
    const bool good = answers(host);
    findings.push_back({good,
                        fmt::format("{} {}", host.name, good ? "answers" : "does not answer ssh without a password"),
                        fmt::format("ssh-copy-id {0}; then 'ssh {0} true' must ask nothing", host.name)});
    if (!good) continue;
    const process::Outcome program = run_on(host, {cluster.program, "--version"}, 2 * kSshPatience);
    findings.push_back(
        {program.code == 0,
         fmt::format("{}: {}", host.name, program.code == 0 ? "etude " + program.complaint() : program.complaint()),
         fmt::format("the program must be at {} there too, or 'program' name its place", cluster.program)});
  }
  return findings;
}

std::unique_ptr<Engine> make_local_engine() { return std::make_unique<LocalEngine>(); }

}  // namespace etude::launch
