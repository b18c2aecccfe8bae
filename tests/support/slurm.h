#pragma once

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

#include "tests/support/background.h"
#include "tests/support/tcp.h"

namespace etude::testing {

/// A Slurm cluster of two nodes on this machine: real daemons with a key, ports and folders of their own. A node is a
/// slurmd whose processes nobody else sees, so that it can die as a machine does; all of them die with the object, or
/// with the process, however it ends. While it lives SLURM_CONF names its configuration. There is no accounting.
class SlurmCluster {
 public:
  static constexpr int kNodes = 2;

  /// Throws std::runtime_error with the reason where that cannot be done.
  SlurmCluster() {
    for (const char* program : {"munged", "slurmctld", "slurmd", "sbatch", "srun", "setpriv", "unshare"}) {
      if (run_shell("PATH=\"$PATH:/usr/sbin:/sbin\"; command -v " + std::string(program)).exit_code != 0) {
        throw std::runtime_error(std::string("there is no ") + program + " (script/setup --test installs it)");
      }
    }
    if (::geteuid() != 0) throw std::runtime_error("slurmd takes root");
    if (run_shell("unshare --pid --mount --fork --mount-proc true").exit_code != 0) {
      throw std::runtime_error("nodes take namespaces, which are not to be had here");
    }
    std::filesystem::permissions(folder_.path(), std::filesystem::perms::owner_all |
                                                     std::filesystem::perms::group_exec |
                                                     std::filesystem::perms::others_exec);
    configure();
    setenv("SLURM_CONF", configuration().c_str(), 1);
    start_munge();
    start_controller(" -c");  // there is no state to go on from
    for (int node = 1; node <= kNodes; ++node) start_node(node);
    if (!eventually([&] { return says("sinfo -h -t idle -o %D") == "2\n"; })) {
      throw std::runtime_error("the nodes do not come up: " + slurp(file("slurmctld.log")) + slurp(file("node1.log")));
    }
  }
  ~SlurmCluster() { unsetenv("SLURM_CONF"); }
  SlurmCluster(const SlurmCluster&) = delete;
  SlurmCluster& operator=(const SlurmCluster&) = delete;

  /// What a command of Slurm prints.
  static std::string says(const std::string& command) { return run_shell(command).output; }

  /// Ends everything that runs on a node, without a word to anyone.
  void kill_node(int node) { nodes_.at(static_cast<std::size_t>(node - 1)).reset(); }
  void start_node(int node) {
    const std::string name = "node" + std::to_string(node);
    // What jobs had there when it died goes as it does when a machine boots. Sockets of PMIx are among it, by which a
    // job could not be started there again.
    for (const std::string& folder : {file("spool." + name), temporary(node)}) {
      for (const auto& path : entries_with("pmix", folder)) std::filesystem::remove_all(path);
    }
    // Ranks of one node find each other's memory in /dev/shm by the name of the host, which both nodes have.
    nodes_.at(static_cast<std::size_t>(node - 1)) = std::make_unique<Background>(
        "setpriv --pdeathsig KILL unshare --pid --mount --fork --kill-child --mount-proc " + path() +
            " sh -c 'mount -t tmpfs none /dev/shm && exec slurmd -D -N " + name + "'",
        file(name + ".log"));
  }

  /// The folder for temporary files that jobs on a node have.
  std::string temporary(int node) const { return file("tmp.node" + std::to_string(node)); }

  void kill_controller() { controller_.reset(); }
  void start_controller(const std::string& options = "") {
    controller_ = std::make_unique<Background>("setpriv --pdeathsig KILL " + path() + " slurmctld -D" + options,
                                               file("slurmctld.log"));
  }

 private:
  /// Daemons are in sbin, which need not be on the PATH.
  static std::string path() { return "env PATH=\"$PATH:/usr/sbin:/sbin\""; }

  std::string file(const std::string& name) const { return (folder_.path() / name).string(); }
  std::string configuration() const { return file("slurm.conf"); }

  static std::vector<std::filesystem::path> entries_with(const std::string& part, const std::string& folder) {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().filename().string().find(part) != std::string::npos) found.push_back(entry.path());
    }
    return found;
  }

  void configure() const {
    std::string host(256, '\0');
    ::gethostname(host.data(), host.size() - 1);
    host = host.c_str();
    std::ostringstream nodes;
    std::array<Port, kNodes + 1> ports;
    for (int node = 1; node <= kNodes; ++node) {
      nodes << "NodeName=node" << node << " NodeHostname=" << host
            << " NodeAddr=127.0.0.1 Port=" << ports.at(static_cast<std::size_t>(node)).number() << " CPUs=2\n";
      std::filesystem::create_directory(file("spool.node" + std::to_string(node)));
      // Each node's own: PMIx would meet itself in a folder that two nodes share.
      std::filesystem::create_directory(temporary(node));
    }
    std::filesystem::create_directory(file("state"));
    std::ofstream(configuration())
        << "ClusterName=etude\nSlurmctldHost=" << host << "(127.0.0.1)\nSlurmctldPort=" << ports[0].number()
        << "\nSlurmUser=root\nSlurmdUser=root\nAuthType=auth/munge\nCredType=cred/munge\n"
        // A requeued job waits for its old credential to expire.
        << "AuthInfo=socket=" << file("munge.socket") << ",cred_expire=5\n"
        << "StateSaveLocation=" << file("state") << "\nSlurmdSpoolDir=" << file("spool.%n")
        << "\nTmpFS=" << file("tmp.%n") << "\nSlurmctldPidFile=" << file("slurmctld.pid")
        << "\nSlurmdPidFile=" << file("%n.pid")
        << "\nProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nSwitchType=switch/none\n"
        << "SelectType=select/cons_tres\nSelectTypeParameters=CR_Core\nSlurmdParameters=config_overrides\n"
        << "MpiDefault=none\nReturnToService=2\nSlurmdTimeout=5\nSlurmctldTimeout=5\nMessageTimeout=5\nKillWait=5\n"
        << "SchedulerParameters=batch_sched_delay=0,bf_interval=1,sched_interval=1\n"
        << "JobAcctGatherType=jobacct_gather/none\nAccountingStorageType=accounting_storage/none\n"
        << nodes.str() << "PartitionName=main Nodes=node1,node2 Default=YES MaxTime=60 State=UP\n";
  }

  void start_munge() {
    std::ofstream key(file("munge.key"), std::ios::binary);
    key << slurp_random(128);
    key.close();
    std::filesystem::permissions(file("munge.key"), std::filesystem::perms::owner_read);
    munge_ = std::make_unique<Background>("setpriv --pdeathsig KILL " + path() +
                                              " munged --foreground --force --key-file=" + file("munge.key") +
                                              " --socket=" + file("munge.socket") + " --pid-file=" + file("munge.pid") +
                                              " --log-file=" + file("munge.log") + " --seed-file=" + file("munge.seed"),
                                          file("munge.out"));
    if (!eventually([&] { return std::filesystem::exists(file("munge.socket")); })) {
      throw std::runtime_error("munged does not start: " + slurp(file("munge.out")));
    }
  }

  static std::string slurp_random(std::size_t bytes) {
    std::string text(bytes, '\0');
    std::ifstream("/dev/urandom", std::ios::binary).read(text.data(), static_cast<std::streamsize>(bytes));
    return text;
  }

  TemporaryFolder folder_;
  std::unique_ptr<Background> munge_, controller_;
  std::array<std::unique_ptr<Background>, kNodes> nodes_;
};

}  // namespace etude::testing
