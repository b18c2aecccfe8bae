#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "framework/process/run.h"
#include "launch/cluster.h"
#include "launch/job.h"

namespace etude::launch {

/// What engines share whose nodes see none of this machine's files.

/// The command after the setup script, which bash sources; the command alone where there is none. Neither of them is
/// ever read as shell code: they are arguments of a program that stays the same.
process::Command with_setup(const std::filesystem::path& setup, const process::Command& command);

/// Options of mpirun with which it notices within 40 s that a machine is gone or out of reach, ends the ranks on both
/// sides, and exits with 205. Without them it waits for as long as its system's TCP does, eight minutes and more.
const process::Command& notice_lost_machines();

/// mpirun that starts `train` on these hosts over ssh, as many ranks on each as the cluster file says, with its
/// environment, which must be that of mpirun itself. Ranks are bound to the cores of a machine that is theirs alone.
/// `further` options go to mpirun as they are.
process::Command mpirun_over_ssh(const Cluster& cluster, const std::vector<std::string>& hosts, bool machines_are_ours,
                                 const process::Command& further, const process::Command& train);

/// Options of mpirun that keep its traffic to an interface or subnet; none for an empty one.
process::Command over_network(const std::string& network);

/// Corrects the job to what nodes see whose relative paths begin in `directory` and that find its order in `order`.
void place_remotely(const Cluster& cluster, const std::filesystem::path& directory, const std::filesystem::path& order,
                    Job& job);

/// Throws UsageError unless the run lies in one of these folders, which outlive the nodes. `key`: names them.
void require_kept(const Job& job, const std::string& key, const std::vector<std::string>& folders);

/// What a folder with an order holds, by the names of its files.
inline const std::vector<std::string> kOrderFiles{"job.json", "experiment.yaml", "cluster.yaml"};

/// The last line that a program said, where those before lead up to it: repeated tries, a trace of calls.
std::string last_words(const process::Outcome& outcome);

}  // namespace etude::launch
