#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/oracle.h"

namespace etude::testing {

/// A port of this machine that nobody else has as long as this lives; release() leaves it to whoever is quick.
class Port {
 public:
  explicit Port(in_addr_t addresses = INADDR_ANY) : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(addresses);
    socklen_t size = sizeof address;
    auto* general = reinterpret_cast<sockaddr*>(&address);
    if (::bind(descriptor_, general, size) != 0 || ::listen(descriptor_, 1) != 0 ||
        ::getsockname(descriptor_, general, &size) != 0) {
      throw std::runtime_error("no free port");
    }
    number_ = ntohs(address.sin_port);
  }
  ~Port() { release(); }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  int number() const { return number_; }
  /// The socket that listens there.
  int descriptor() const { return descriptor_; }
  int release() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
    return number_;
  }

 private:
  int descriptor_;
  int number_ = 0;
};

inline int free_port() { return Port().release(); }

/// What ranks that were started without MPI printed, and how they ended, by rank.
struct RanksResult {
  std::vector<std::string> outputs;  ///< both streams
  std::vector<int> exit_codes;
};

/// Runs `program` as ranks that find each other by RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT. `environments` has
/// one entry a rank, put behind those: "RANK=0 OTHER=x". Ends them after `seconds`.
inline RanksResult run_ranks(const std::vector<std::string>& environments, const std::string& program, int port,
                             int seconds = 60) {
  TemporaryFolder folder;
  std::string command;
  for (std::size_t rank = 0; rank < environments.size(); ++rank) {
    const std::string file = (folder.path() / std::to_string(rank)).string();
    command += "( env OMP_NUM_THREADS=1 MASTER_ADDR=localhost MASTER_PORT=" + std::to_string(port) +
               " WORLD_SIZE=" + std::to_string(environments.size()) + " RANK=" + std::to_string(rank) + " " +
               environments[rank] + " timeout -k 5 " + std::to_string(seconds) + " " + program + " >" + file +
               " 2>&1; echo $? >" + file + ".code ) & ";
  }
  run_shell(command + "wait");
  RanksResult result;
  for (std::size_t rank = 0; rank < environments.size(); ++rank) {
    result.outputs.push_back(slurp(folder.path() / std::to_string(rank)));
    result.exit_codes.push_back(std::stoi(slurp(folder.path() / (std::to_string(rank) + ".code"))));
  }
  return result;
}

}  // namespace etude::testing
