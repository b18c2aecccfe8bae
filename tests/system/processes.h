#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/system/program.h"

namespace etude::testing {

struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  int rank = -1;  ///< in Open MPI's world; -1 without one
};

/// All living `etude` processes on this machine whose command line holds `word`, by rank. Take a path of the test's own
/// folder: another test may run at the same time.
inline std::vector<Process> etude_processes(const std::string& word) {
  std::vector<Process> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const pid_t pid = static_cast<pid_t>(std::atoi(entry.path().filename().c_str()));
    if (pid == 0 || slurp(entry.path() / "cmdline").find(word) == std::string::npos) continue;
    const std::string status = slurp(entry.path() / "stat");  // "pid (name) state parent …"
    const auto name_end = status.rfind(')');
    if (name_end == std::string::npos || status.find("(etude)") == std::string::npos) continue;
    if (status.compare(name_end + 2, 1, "Z") == 0) continue;
    Process process{pid, static_cast<pid_t>(std::atoi(status.c_str() + name_end + 4)), -1};
    const std::string environment = slurp(entry.path() / "environ"), key = "OMPI_COMM_WORLD_RANK=";
    if (const auto at = environment.find(key); at != std::string::npos) {
      process.rank = std::atoi(environment.c_str() + at + key.size());
    }
    found.push_back(process);
  }
  std::sort(found.begin(), found.end(), [](const Process& a, const Process& b) { return a.rank < b.rank; });
  return found;
}

}  // namespace etude::testing
