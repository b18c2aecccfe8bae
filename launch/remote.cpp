#include "launch/remote.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "framework/config/error.h"

namespace etude::launch {

process::Command with_setup(const std::filesystem::path& setup, const process::Command& command) {
  if (setup.empty()) return command;
  // A sourced script sees the positional parameters; some take them for their own options.
  process::Command whole{"bash", "-c", R"(command=("$@"); set --; source "$0" && exec "${command[@]}")",
                         setup.string()};
  whole.insert(whole.end(), command.begin(), command.end());
  return whole;
}

const process::Command& notice_lost_machines() {
  static const process::Command options{"--mca", "oob_tcp_keepalive_time",   "20",
                                        "--mca", "oob_tcp_keepalive_intvl",  "5",
                                        "--mca", "oob_tcp_keepalive_probes", "4"};
  return options;
}

process::Command mpirun_over_ssh(const Cluster& cluster, const std::vector<std::string>& hosts, bool machines_are_ours,
                                 const process::Command& further, const process::Command& train) {
  const std::int64_t ranks = cluster.ranks_on_each_node();
  std::vector<std::string> slots;
  for (const std::string& host : hosts) slots.push_back(fmt::format("{}:{}", host, ranks));
  process::Command command{"mpirun", "-n", std::to_string(ranks * std::ssize(hosts)), "-H",
                           fmt::format("{}", fmt::join(slots, ","))};
  const auto add = [&](const process::Command& words) { command.insert(command.end(), words.begin(), words.end()); };
  if (::geteuid() == 0) add({"--allow-run-as-root"});
  if (!machines_are_ours) {
    add({"--map-by", fmt::format("ppr:{}:node", ranks), "--bind-to", "none"});
  } else if (cluster.cores_per_rank > 0) {
    add({"--map-by", fmt::format("ppr:{}:node:PE={}", ranks, cluster.cores_per_rank), "--bind-to", "core"});
  } else {
    add({"--map-by", fmt::format("ppr:{}:node", ranks), "--bind-to", ranks > 1 ? "numa" : "none"});
  }
  add(notice_lost_machines());
  add(further);
  for (const char* found_here : {"PATH", "LD_LIBRARY_PATH"}) {  // a session of ssh has the system's own
    if (std::getenv(found_here) != nullptr && !cluster.environment.contains(found_here)) add({"-x", found_here});
  }
  for (const auto& [variable, value] : cluster.environment) add({"-x", variable});
  add(with_setup(cluster.setup, train));
  return command;
}

process::Command over_network(const std::string& network) {
  if (network.empty()) return {};
  return {"--mca", "btl_tcp_if_include", network, "--mca", "oob_tcp_if_include", network};
}

void place_remotely(const Cluster& cluster, const std::filesystem::path& directory, const std::filesystem::path& order,
                    Job& job) {
  job.run = (directory / job.run).lexically_normal();
  job.order = order;
  job.program = job.supervisor = cluster.program;
}

void require_kept(const Job& job, const std::string& key, const std::vector<std::string>& folders) {
  for (const std::filesystem::path folder : folders) {
    const auto [in_folder, in_run] = std::mismatch(folder.begin(), folder.end(), job.run.begin(), job.run.end());
    if (in_folder == folder.end()) return;
  }
  throw UsageError(
      fmt::format("{}: the run would lie in {} on the nodes, which is in none of `{}`, and its checkpoints "
                  "would go with the nodes",
                  job.name, job.run.string(), key));
}

std::string last_words(const process::Outcome& outcome) {
  for (const std::string* text : {&outcome.errors, &outcome.output}) {
    const std::size_t end = text->find_last_not_of(" \t\r\n");
    if (end == std::string::npos) continue;
    const std::size_t before = text->find_last_of('\n', end);
    const std::size_t begin = before == std::string::npos ? 0 : before + 1;
    return text->substr(begin, end + 1 - begin);
  }
  return outcome.complaint();
}

}  // namespace etude::launch
