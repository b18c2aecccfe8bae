#pragma once

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include <unistd.h>

#include "tests/support/background.h"
#include "tests/support/oracle.h"

namespace etude::testing {

/// Two hosts on this machine, for programs that believe in them: each has a name, a network, processes and a /run of
/// its own, and they reach each other by one wire and by ssh (keys alone). They share the disks, as nodes of a cluster
/// do. Nothing of it shows outside, so several tests can have hosts at once, and all of it is gone with the object,
/// or with the process, however it ends.
class Hosts {
 public:
  /// Throws std::runtime_error with the reason where that cannot be done.
  Hosts() {
    for (const char* program : {"ip", "ssh", "ssh-keygen", "unshare", "nsenter", "setpriv", "/usr/sbin/sshd"}) {
      if (run_shell(std::string("command -v ") + program).exit_code != 0) {
        throw std::runtime_error(std::string("there is no ") + program +
                                 " (script/setup --test installs it where no systemd would start it)");
      }
    }
    if (::geteuid() != 0) throw std::runtime_error("making hosts takes root");
    write_ssh_files();
    for (int host = 0; host < kHosts; ++host) boot(host);
    lay_wire();
  }
  Hosts(const Hosts&) = delete;
  Hosts& operator=(const Hosts&) = delete;

  static std::string name(int host) { return "etude-test-" + std::to_string(host + 1); }
  /// The same in every test: no other network can see it.
  static std::string address(int host) { return "10.77.0." + std::to_string(host + 1); }
  static std::string network() { return "10.77.0.0/24"; }
  std::filesystem::path ssh_config() const { return folder_.path() / "ssh_config"; }

  /// A shell command line that runs another one, made of words, on a host, in the folder "/".
  std::string on(int host, const std::string& command) const {
    const std::string proc = "/proc/" + std::to_string(pid_of(host)) + "/ns/";
    return "nsenter --net=" + proc + "net --uts=" + proc + "uts --mount=" + proc + "mnt --pid=" + proc +
           "pid_for_children " + command;
  }
  ShellResult run(int host, const std::string& command) const { return run_shell(on(host, command)); }

  void cut_wire() const { must(on(1, "ip link set wire down")); }
  void mend_wire() const { must(on(1, "ip link set wire up")); }

  /// Lets packets take their time and some get lost, both ways. False where this kernel cannot.
  bool make_wire_slow(const std::string& netem) const {
    for (int host = 0; host < kHosts; ++host) {
      if (run(host, "tc qdisc replace dev wire root netem " + netem).exit_code != 0) return false;
    }
    return true;
  }

  /// Ends everything that runs on a host, and the host, without a word to anyone.
  void kill_host(int host) {
    must(on(host, "ip link set wire down"));  // or its system would tell the others that its programs are gone
    first_processes_.at(static_cast<std::size_t>(host)).reset();
  }

 private:
  static constexpr int kHosts = 2;
  static constexpr const char* kPort = "2222";

  pid_t pid_of(int host) const { return first_processes_.at(static_cast<std::size_t>(host))->pid(); }

  static void must(const std::string& command) {
    const ShellResult result = run_shell(command);
    if (result.exit_code != 0) throw std::runtime_error(command + ": " + result.errors);
  }

  void write_ssh_files() const {
    const std::string here = folder_.path().string();
    for (const char* key : {"user", "host0", "host1"}) {
      must("ssh-keygen -q -t ed25519 -N '' -C '' -f " + here + "/" + key);
    }
    for (int host = 0; host < kHosts; ++host) {
      const std::string key = here + "/host" + std::to_string(host);
      std::ofstream(here + "/sshd_config" + std::to_string(host))
          << "Port " << kPort << "\nHostKey " << key << "\nAuthorizedKeysFile " << here << "/user.pub\n"
          << "AuthenticationMethods publickey\nPermitRootLogin prohibit-password\nUsePAM no\nPidFile none\n"
          << "StrictModes no\n";  // it would mind that everybody may write to /tmp
      std::ofstream(here + "/known_hosts", std::ios::app)
          << "[" << address(host) << "]:" << kPort << " " << slurp(key + ".pub");
    }
    std::ofstream(ssh_config()) << "Host *\n  User root\n  Port " << kPort << "\n  IdentityFile " << here
                                << "/user\n  IdentitiesOnly yes\n  BatchMode yes\n  StrictHostKeyChecking yes\n"
                                << "  UserKnownHostsFile " << here << "/known_hosts\n";
  }

  /// The host's first process is its sshd: the kernel ends all others with it.
  void boot(int host) {
    const std::string number = std::to_string(host), log = (folder_.path() / ("host" + number + ".log")).string();
    const std::string start = "mount -t tmpfs none /run && mkdir /run/sshd && hostname " + name(host) +
                              " && ip link set lo up && exec /usr/sbin/sshd -D -e -f " + folder_.path().string() +
                              "/sshd_config" + number;
    auto& first_process = first_processes_.at(static_cast<std::size_t>(host));
    first_process = std::make_unique<Background>(
        "setpriv --pdeathsig KILL unshare --net --uts --pid --mount --fork --kill-child --mount-proc sh -c '" + start +
            "'",
        log);
    const auto listens = [&] { return slurp(log).find("Server listening") != std::string::npos; };
    if (!eventually([&] { return listens() || !first_process->running(); }) || !listens()) {
      throw std::runtime_error("no host can be made here: " + slurp(log));
    }
    networks_.at(static_cast<std::size_t>(host)).open("/proc/" + std::to_string(pid_of(host)) + "/ns/net");
  }

  void lay_wire() const {
    must("ip link add wire netns " + std::to_string(pid_of(0)) + " type veth peer name wire netns " +
         std::to_string(pid_of(1)));
    for (int host = 0; host < kHosts; ++host) {
      must(on(host, "ip address add " + address(host) + "/24 dev wire"));
      must(on(host, "ip link set wire up"));
    }
  }

  TemporaryFolder folder_;
  std::array<std::unique_ptr<Background>, kHosts> first_processes_;
  std::array<std::ifstream, kHosts> networks_;  ///< while open, its end of the wire is there, whoever has died
};

}  // namespace etude::testing
