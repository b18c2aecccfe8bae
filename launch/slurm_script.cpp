#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <string_view>

#include <fmt/format.h>

#include "framework/config/error.h"
#include "launch/cluster.h"
#include "launch/job.h"
#include "launch/slurm.h"

namespace etude::launch::slurm {
namespace {

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return std::iscntrl(static_cast<unsigned char>(c)) != 0; });
}

/// For comments, where a line break would end the comment.
std::string on_one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return std::iscntrl(static_cast<unsigned char>(c)) != 0; }, ' ');
  return text;
}

void require(const std::string& key, const std::string& value, std::string_view also_allowed) {
  if (value.empty()) return;
  const auto fits = [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || also_allowed.find(c) != std::string_view::npos;
  };
  if (value.front() != '-' && std::all_of(value.begin(), value.end(), fits)) return;
  throw UsageError(
      fmt::format("{}: '{}' is none that Slurm could have: it takes letters, digits and {}, and no dash in front", key,
                  on_one_line(value), also_allowed));
}

/// For what goes to a program as one of its arguments.
void require_argument(const std::string& key, const std::string& value, std::string_view forbidden = "") {
  if (has_control_characters(value))
    throw UsageError(fmt::format("{}: there is a line break or another control character in it", key));
  if (value.starts_with('-'))
    throw UsageError(fmt::format("{}: '{}' begins with a dash, as an option does", key, value));
  if (const auto at = value.find_first_of(forbidden); !forbidden.empty() && at != std::string::npos) {
    throw UsageError(
        fmt::format("{}: '{}' has a '{}' in it, which separates one from the next", key, value, value[at]));
  }
}

/// What `extra` must not set, and what says it instead.
struct Taken {
  std::string_view option, instead;
};
constexpr std::string_view kOurs = "the launcher needs its own";
constexpr std::array kTaken{
    Taken{"account", "account:"},
    Taken{"array", "--array of etude launch"},
    Taken{"chdir", "jobs begin where they were launched"},
    Taken{"clusters", "launch on a login node of that cluster"},
    Taken{"comment", kOurs},
    Taken{"constraint", "constraint:"},
    Taken{"cpus-per-task", "cores_per_rank:"},
    Taken{"error", "all goes to one file"},
    Taken{"exclusive", "exclusive:"},
    Taken{"export", "environment:"},
    Taken{"export-file", "environment:"},
    Taken{"gpus-per-node", "gpus_per_node:"},
    Taken{"help", kOurs},
    Taken{"input", kOurs},
    Taken{"job-name", kOurs},
    Taken{"mem", "memory:"},
    Taken{"mincpus", "cores_per_rank:"},
    Taken{"no-kill", "a job that has lost a node is started again on those that are left (min_nodes:)"},
    Taken{"no-requeue", "max_restarts: 0"},
    Taken{"nodes", "nodes:"},
    Taken{"ntasks", "nodes: and ranks_per_node:"},
    Taken{"ntasks-per-node", "ranks_per_node:"},
    Taken{"open-mode", kOurs},
    Taken{"output", kOurs},
    Taken{"parsable", kOurs},
    Taken{"partition", "partition:"},
    Taken{"qos", "qos:"},
    Taken{"requeue", "max_restarts:"},
    Taken{"reservation", "reservation:"},
    Taken{"signal", "warning:"},
    Taken{"test-only", "etude launch doctor"},
    Taken{"time", "time:"},
    Taken{"usage", kOurs},
    Taken{"version", kOurs},
    Taken{"wait", kOurs},
    Taken{"wrap", "setup:"},
};

void check_extra(const std::string& option) {
  const auto equals = option.find('=');
  const std::string name =
      option.starts_with("--") ? option.substr(2, equals == std::string::npos ? equals : equals - 2) : "";
  const auto fits = [](char c) {
    return std::islower(static_cast<unsigned char>(c)) || std::isdigit(static_cast<unsigned char>(c)) || c == '-';
  };
  if (name.empty() || name.front() == '-' || !std::all_of(name.begin(), name.end(), fits)) {
    throw UsageError(
        fmt::format("extra: '{}' is no option of sbatch; write --name or --name=value, such as --mail-type=END",
                    on_one_line(option)));
  }
  if (has_control_characters(option))
    throw UsageError(fmt::format("extra: --{} holds a line break or another control character", name));
  // sbatch takes any beginning of an option's name that is the beginning of no other.
  for (const Taken& taken : kTaken) {
    if (taken.option.starts_with(name)) {
      throw UsageError(fmt::format("extra: --{} is not to be set here ({})", taken.option, taken.instead));
    }
  }
}

std::int64_t minutes_of(double seconds) { return static_cast<std::int64_t>(std::ceil(seconds / 60)); }

/// As people write it: 12:00:00, or 1-12:00:00.
std::string time_text(std::int64_t minutes) {
  const std::int64_t days = minutes / (24 * 60), hours = minutes / 60 % 24;
  return fmt::format("{}{:02}:{:02}:00", days > 0 ? fmt::format("{}-", days) : "", hours, minutes % 60);
}

std::string task_output(const Jobs& jobs) {
  // Links to every job's own file, for one pattern has to serve all tasks of an array.
  return jobs.size() == 1 ? output_name(jobs.front()->output.string())
                          : output_name((jobs.front()->folder / "array").string()) + "/%a.txt";
}

}  // namespace

std::string header_word(const std::string& value) {
  if (has_control_characters(value)) {
    throw UsageError(fmt::format("'{}': no line of a Slurm script can hold a line break or another control character",
                                 on_one_line(value)));
  }
  constexpr std::string_view kPlain = "_./:=,@%+-&|*()[]!";
  const auto plain = [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || kPlain.find(c) != std::string_view::npos;
  };
  if (!value.empty() && std::all_of(value.begin(), value.end(), plain)) return value;
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string output_name(const std::string& path) {
  if (path.find('\\') != std::string::npos) {
    throw UsageError(
        fmt::format("{}: Slurm cannot write to a file with a backslash in its name; choose another run folder", path));
  }
  std::string name;
  for (const char c : path) name += c == '%' ? "%%" : std::string(1, c);
  return name;
}

void Header::comment(const std::string& words) { text += "\n# " + on_one_line(words) + "\n"; }
void Header::option(const std::string& name, const std::string& value) {
  text += fmt::format("#SBATCH --{}={}\n", name, header_word(value));
  names.push_back(name);
}
void Header::flag(const std::string& name) {
  text += fmt::format("#SBATCH --{}\n", name);
  names.push_back(name);
}
void Header::further(const std::string& given) {
  const auto equals = given.find('=');
  if (equals == std::string::npos) return flag(given.substr(2));
  option(given.substr(2, equals - 2), given.substr(equals + 1));
}

void check(const SlurmOptions& options, const Cluster& cluster) {
  require("partition", options.partition, "_.,-");
  require("account", options.account, "_.@+-");
  require("qos", options.qos, "_.@+-");
  require("reservation", options.reservation, "_.,@+-");
  require("constraint", options.constraint, "_.,:=&|*()[]!-");
  require("memory", options.memory, "");
  if (const auto unit = options.memory.find_first_not_of("0123456789");
      unit == 0 ||
      (unit != std::string::npos && (unit + 1 != options.memory.size() ||
                                     std::string_view("KMGT").find(options.memory[unit]) == std::string_view::npos))) {
    throw UsageError(
        fmt::format("memory: '{}' is no size; write 64G, 512M or 0 for all that a node has", options.memory));
  }
  require("gpu_type", options.gpu_type, "_.-");
  if (!options.gpu_type.empty() && cluster.gpus_per_node == 0)
    throw UsageError("gpu_type: there are no gpus_per_node for it");
  if (options.mpi.empty())
    throw UsageError("mpi: it is empty; 'srun --mpi=list' tells what there is; none does without");
  require("mpi", options.mpi, "_");
  for (const std::string& module : options.modules) {
    if (module.empty()) throw UsageError("modules: there is an empty one");
    require("modules", module, "_./+-");
  }
  for (const std::string& option : options.extra) check_extra(option);

  using Container = SlurmOptions::Container;
  using Starter = SlurmOptions::Starter;
  if (options.container == Container::kNone && !options.image.empty())
    throw UsageError("image: say in what it is run, container: apptainer or pyxis");
  if (options.container != Container::kNone && options.image.empty())
    throw UsageError("container: there is no image: to run in it");
  if (options.container == Container::kPyxis && options.starter == Starter::kMpirun) {
    throw UsageError("container: pyxis is a part of srun, which starter: mpirun leaves out");
  }
  if (options.mpi == "none" && options.starter == Starter::kMpirun) {
    throw UsageError("mpi: none means ranks that find each other without MPI, which starter: mpirun does not start");
  }
  require_argument("image", options.image);
  for (const std::string& mount : options.mounts) {
    if (mount.empty()) throw UsageError("mounts: there is an empty one");
    require_argument("mounts", mount, ",");
  }
  if (has_control_characters(cluster.setup.string()))
    throw UsageError("setup: there is a line break or another control character in it");
  if (cluster.warning > 65535) throw UsageError("warning: Slurm warns at most 65535 s before the end");
}

Header header(const SlurmOptions& options, const Cluster& cluster, const Jobs& jobs) {
  const Job& job = *jobs.front();
  const std::int64_t ranks = cluster.ranks_on_each_node();
  Header lines;
  lines.comment("The name is this job's alone: the launcher finds it by that.");
  lines.option("job-name", job.token);
  lines.option("comment", jobs.size() == 1
                              ? "etude: " + on_one_line(job.name)
                              : fmt::format("etude: {} jobs from {} on", jobs.size(), on_one_line(job.name)));
  if (jobs.size() > 1) {
    lines.option("array", fmt::format("0-{}{}", jobs.size() - 1,
                                      options.at_once > 0 ? fmt::format("%{}", options.at_once) : ""));
  }

  const std::array<std::pair<const char*, const std::string*>, 5> places{{{"partition", &options.partition},
                                                                          {"account", &options.account},
                                                                          {"qos", &options.qos},
                                                                          {"reservation", &options.reservation},
                                                                          {"constraint", &options.constraint}}};
  if (std::any_of(places.begin(), places.end(), [](const auto& place) { return !place.second->empty(); }))
    lines.comment("Where, and on whose account.");
  for (const auto& [name, value] : places) {
    if (!value->empty()) lines.option(name, *value);
  }

  if (cluster.min_nodes > 0 && cluster.min_nodes < cluster.nodes) {
    // A number of tasks would hold Slurm to the smaller number of nodes.
    lines.comment("As many nodes as there are at the time: the run goes on from its checkpoint on any number of them.");
    lines.option("nodes", fmt::format("{}-{}", cluster.min_nodes, cluster.nodes));
    lines.option("mincpus", fmt::format("{}", ranks * std::max<std::int64_t>(1, cluster.cores_per_rank)));
  } else {
    lines.comment("What it needs.");
    lines.option("nodes", fmt::format("{}", cluster.nodes));
    lines.option("ntasks-per-node", fmt::format("{}", ranks));
    if (cluster.cores_per_rank > 0) lines.option("cpus-per-task", fmt::format("{}", cluster.cores_per_rank));
  }
  if (cluster.gpus_per_node > 0) {
    lines.option("gpus-per-node",
                 fmt::format("{}{}{}", options.gpu_type, options.gpu_type.empty() ? "" : ":", cluster.gpus_per_node));
  }
  if (!options.memory.empty()) lines.option("mem", options.memory);
  if (options.exclusive) lines.flag("exclusive");

  lines.comment(
      "Before the time limit USR1 goes to this script's process alone (B:): a checkpoint, and back into the queue.");
  if (cluster.time > 0) lines.option("time", time_text(minutes_of(cluster.time)));
  lines.option("signal", fmt::format("B:USR1@{}", static_cast<std::int64_t>(std::ceil(cluster.warning))));
  lines.comment(
      "A job that lost a node, or made room for another, may be started again: it goes on from its checkpoint.");
  lines.flag("requeue");
  lines.option("open-mode", "append");
  lines.option("output", task_output(jobs));
  if (!options.extra.empty()) lines.comment("Further options of the cluster file.");
  for (const std::string& option : options.extra) lines.further(option);
  return lines;
}

process::Command start_ranks(const SlurmOptions& options, const Cluster& cluster, std::int64_t nodes,
                             const process::Command& train) {
  const std::int64_t ranks = cluster.ranks_on_each_node();
  process::Command command;
  if (options.starter == SlurmOptions::Starter::kMpirun) {
    command = {"mpirun", "-n", fmt::format("{}", nodes * ranks), "--map-by"};
    if (cluster.cores_per_rank > 0) {
      command.insert(command.end(),
                     {fmt::format("ppr:{}:node:PE={}", ranks, cluster.cores_per_rank), "--bind-to", "core"});
    } else {
      command.insert(command.end(), {fmt::format("ppr:{}:node", ranks), "--bind-to", "none"});
    }
  } else {
    // Everything is said again that srun could take from the job, since not every release does, and since a job on
    // fewer nodes than it asked for has variables that do not fit.
    command = {"srun",
               "--mpi=" + options.mpi,
               "--kill-on-bad-exit=1",
               "--export=ALL",
               fmt::format("--nodes={}", nodes),
               fmt::format("--ntasks={}", nodes * ranks),
               fmt::format("--ntasks-per-node={}", ranks)};
    if (cluster.cores_per_rank > 0) {
      command.insert(command.end(), {fmt::format("--cpus-per-task={}", cluster.cores_per_rank), "--cpu-bind=cores"});
    }
  }
  std::string mounts;
  for (const std::string& mount : options.mounts) mounts += (mounts.empty() ? "" : ",") + mount;
  if (options.container == SlurmOptions::Container::kPyxis) {
    command.push_back("--container-image=" + options.image);
    if (!mounts.empty()) command.push_back("--container-mounts=" + mounts);
  } else if (options.container == SlurmOptions::Container::kApptainer) {
    command.insert(command.end(), {"apptainer", "exec"});
    if (cluster.gpus_per_node > 0) command.push_back("--nv");
    if (!mounts.empty()) command.push_back("--bind=" + mounts);
    command.push_back(options.image);
  }
  command.insert(command.end(), train.begin(), train.end());
  return command;
}

std::string batch_script(const SlurmOptions& options, const Cluster& cluster, const Jobs& jobs) {
  for (const Job* job : jobs) {
    if (!has_control_characters(job->order.string() + job->supervisor)) continue;
    throw UsageError(
        fmt::format("{}: a line break or another control character in the name of a folder; choose another",
                    on_one_line(job->order.string())));
  }
  const Job& first = *jobs.front();
  std::string text =
      "#!/bin/bash\n# Trains with Etude; written by 'etude launch'.\n" + header(options, cluster, jobs).text;

  text += "\nset -e\n";
  if (!options.modules.empty()) {
    process::Command load{"module", "load"};
    load.insert(load.end(), options.modules.begin(), options.modules.end());
    text +=
        "# A batch shell need not have the module command; this is where Lmod and Environment Modules keep it.\n"
        "if ! command -v module >/dev/null; then\n"
        "  for file in /etc/profile.d/lmod.sh /etc/profile.d/modules.sh; do [[ ! -r $file ]] || source \"$file\"; "
        "done\n"
        "fi\n" +
        process::shell_line(load) + "\n";
  }
  if (!cluster.setup.empty()) {
    const std::string file = process::shell_word(std::filesystem::absolute(cluster.setup).string());
    text += "source " + file + " || { echo \"the setup script ended with $?:\" " + file + " >&2; exit 1; }\n";
  }

  if (jobs.size() > 1) {
    text += "\ncase $SLURM_ARRAY_TASK_ID in\n";
    for (std::size_t task = 0; task < jobs.size(); ++task) {
      text += fmt::format("  {}) set -- {} ;;\n", task, process::shell_line(supervise_command(*jobs[task])));
    }
    text += "  *) echo \"there is no task '$SLURM_ARRAY_TASK_ID' in this array\" >&2; exit 2 ;;\nesac\n";
  }
  const process::Command train{first.program, "train", (first.order / "experiment.yaml").string(), "--resume"};
  text +=
      "\n# The supervisor takes this script's place, since the signal goes there. In the job's folder it writes down "
      "every\n"
      "# start and end; it starts the ranks, and again where that helps, with\n#   " +
      on_one_line(process::shell_line(start_ranks(options, cluster, cluster.nodes, train))) + "\n";
  text += "exec " + (jobs.size() > 1 ? std::string("\"$@\"") : process::shell_line(supervise_command(first))) + "\n";
  return text;
}

}  // namespace etude::launch::slurm
