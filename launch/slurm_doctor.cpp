#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "framework/config/error.h"
#include "framework/config/values.h"
#include "launch/cluster.h"
#include "launch/job.h"
#include "launch/slurm.h"

namespace etude::launch::slurm {
namespace {

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// What one line of sinfo says of a partition: its limit, and how many nodes are in which state.
struct Partition {
  std::string name, available, limit;
  std::int64_t nodes = 0, usable = 0;
};

std::optional<Partition> partition_of(const SlurmOptions& options) {
  process::Command command{"sinfo", "--noheader", "--format=%P|%a|%l|%D|%t"};
  if (!options.partition.empty()) command.push_back("--partition=" + options.partition);
  std::optional<Partition> found;
  std::istringstream lines(process::run(command, {.seconds = 30}).output);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    Partition one;
    std::string nodes, state;
    std::getline(fields, one.name, '|');
    std::getline(fields, one.available, '|');
    std::getline(fields, one.limit, '|');
    std::getline(fields, nodes, '|');
    std::getline(fields, state, '|');
    const bool is_default = one.name.ends_with('*');  // so marked
    if (is_default) one.name.pop_back();
    if (options.partition.empty() && !is_default) continue;
    if (!found) found = one;
    const std::int64_t count = std::atoll(nodes.c_str());
    found->nodes += count;
    // A mark behind the state: * does not answer, ~ and # are powered off or up when needed.
    static const std::set<std::string> kUsable{"idle",  "mix",   "alloc", "comp", "resv",  "plnd",
                                               "idle~", "idle#", "mix~",  "mix#", "alloc#"};
    if (kUsable.contains(state)) found->usable += count;
  }
  return found;
}

void examine_partition(const SlurmOptions& options, const Cluster& cluster, std::vector<Finding>& findings) {
  const auto partition = partition_of(options);
  if (!partition) {
    findings.push_back({false,
                        options.partition.empty() ? "there is no default partition"
                                                  : fmt::format("there is no partition '{}'", options.partition),
                        fmt::format("set partition: to one of {}", partitions())});
    return;
  }
  const std::int64_t wanted = cluster.min_nodes > 0 ? cluster.min_nodes : cluster.nodes;
  const std::string what = fmt::format("partition {}: {} nodes, {} of them in use or ready, jobs of at most {}",
                                       partition->name, partition->nodes, partition->usable, partition->limit);
  std::string way_out;
  if (partition->available != "up") way_out = "the partition is closed: wait, or choose another partition:";
  if (partition->nodes < wanted) way_out = fmt::format("it never has {} nodes: mend nodes: or min_nodes:", wanted);
  if (way_out.empty() && partition->usable < wanted)
    way_out = fmt::format("a job would wait until {} nodes are back (`sinfo -R` tells why they are not)", wanted);
  const auto limit = seconds_of(partition->limit);
  if (limit && cluster.time > *limit)
    way_out =
        fmt::format("time: is {}, and such a job would wait for ever: mend time:", config::duration_text(cluster.time));
  findings.push_back({way_out.empty(), what, way_out});
}

void examine_starter(const SlurmOptions& options, std::vector<Finding>& findings) {
  if (options.starter == SlurmOptions::Starter::kMpirun) {
    const process::Outcome outcome = process::run({"mpirun", "--version"}, {.seconds = 30});
    findings.push_back({outcome.code == 0,
                        outcome.code == 0 ? "mpirun: " + first_line(outcome.output) : "there is no mpirun here",
                        outcome.code == 0 ? "" : "name its module in modules:, or take starter: srun"});
    return;
  }
  const process::Outcome outcome = process::run({"srun", "--mpi=list"}, {.seconds = 30});
  const std::string list = outcome.output + outcome.errors;
  std::istringstream words(list);
  bool there = false;
  for (std::string word; words >> word;) there = there || word == options.mpi || word == options.mpi + ",";
  findings.push_back(
      {there, fmt::format("srun --mpi={}{}", options.mpi, there ? "" : " is not known here"),
       there ? "" : "`srun --mpi=list` tells what there is: set mpi: to a pmix of these, or take starter: mpirun"});
}

void examine_container(const SlurmOptions& options, std::vector<Finding>& findings) {
  if (options.container == SlurmOptions::Container::kApptainer) {
    const auto program = process::find_program("apptainer");
    findings.push_back({program.has_value(),
                        program ? "apptainer: " + *program : "there is no apptainer on this machine",
                        program ? "" : "name its module in modules:; where only the nodes have it all is well"});
    const bool is_file = options.image.starts_with('/') || options.image.ends_with(".sif");
    if (is_file && !std::filesystem::exists(options.image)) {
      findings.push_back({false, fmt::format("image: there is no {} on this machine", options.image),
                          "mend image:, or make it with 'apptainer build'"});
    }
  } else if (options.container == SlurmOptions::Container::kPyxis) {
    const bool there =
        process::run({"srun", "--help"}, {.seconds = 30}).output.find("--container-image") != std::string::npos;
    findings.push_back(
        {there, there ? "srun --container-image (pyxis)" : "srun knows no --container-image: this cluster has no pyxis",
         there ? "" : "take container: apptainer or none"});
  }
}

/// Lets Slurm judge the options of a script that does nothing.
void examine_script(const SlurmOptions& options, const Cluster& cluster, std::vector<Finding>& findings) {
  Job job;
  job.name = job.token = "etude-doctor";
  job.folder = job.order = std::filesystem::temp_directory_path();
  job.output = "/dev/null";
  const process::Outcome outcome =
      process::run({"sbatch", "--test-only"},
                   {.seconds = 60, .input = "#!/bin/bash\n" + header(options, cluster, {&job}).text + "\ntrue\n"});
  findings.push_back(
      {outcome.code == 0, "sbatch --test-only: " + words_of(outcome), outcome.code == 0 ? "" : "mend what it names"});
}

}  // namespace

std::vector<Finding> examine(const SlurmOptions& options, const Cluster& cluster) {
  std::vector<Finding> findings;
  const process::Outcome version = process::run({"sbatch", "--version"}, {.seconds = 30});
  if (version.code == 127) {
    return {{false, "there is no sbatch on this machine",
             "launch from a login node of the cluster; 'module load slurm' at some"}};
  }
  findings.push_back(
      {version.code == 0, "sbatch: " + (version.code == 0 ? first_line(version.output) : words_of(version)),
       version.code == 0 ? "" : "this machine has Slurm's programs but no configuration of a cluster (slurm.conf)"});
  const process::Outcome ping = process::run({"scontrol", "ping"});
  if (ping.code != 0) {
    findings.push_back({false, "cannot reach the controller: " + first_line(words_of(ping)),
                        "jobs that run go on without it; try again later, or ask the cluster's administrators"});
    return findings;
  }
  findings.push_back({true, first_line(ping.output), ""});
  examine_partition(options, cluster, findings);
  examine_starter(options, findings);
  examine_container(options, findings);
  examine_script(options, cluster, findings);
  if (options.container == SlurmOptions::Container::kNone && !cluster.program.empty()) {
    const bool there = process::find_program(cluster.program).has_value();
    findings.push_back({there, fmt::format("program: {}{}", cluster.program, there ? "" : " is not on this machine"),
                        there ? "" : "where only the nodes have it all is well; else mend program:"});
  }
  return findings;
}

}  // namespace etude::launch::slurm
