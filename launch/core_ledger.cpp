#include "launch/core_ledger.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/file.h>
#include <unistd.h>

#include "framework/config/error.h"

namespace etude::launch {
namespace {

namespace fs = std::filesystem;

/// One folder for all users of the machine: they share its cores.
fs::path ledger_folder() {
  const char* given = std::getenv("ETUDE_LEDGER");
  const fs::path folder = given != nullptr && *given != '\0' ? fs::path(given) : fs::path("/tmp/etude-cores");
  std::error_code error;
  if (fs::create_directory(folder, error)) {
    fs::permissions(folder, fs::perms::all | fs::perms::sticky_bit, error);
  }
  if (!fs::is_directory(folder)) {
    throw Error(
        fmt::format("{}: is where jobs of this machine agree on who has which cores, and cannot be made; "
                    "ETUDE_LEDGER=FOLDER names another place",
                    folder.string()));
  }
  return folder;
}

/// A lock, or -1 when somebody has it. Reading suffices for a lock, and other users may not write.
int lock(const fs::path& file) {
  int descriptor = ::open(file.c_str(), O_RDONLY | O_CREAT | O_NOFOLLOW, 0644);
  if (descriptor < 0) throw Error(fmt::format("{}: cannot be opened: {}", file.string(), std::strerror(errno)));
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return descriptor;
  ::close(descriptor);
  return -1;
}

/// Locks out of `candidates` as many as are wanted, waiting for them; false when `go_on` is.
bool take_some(const fs::path& folder, const char* kind, const std::vector<int>& candidates, std::size_t wanted,
               std::vector<int>& taken, const std::function<bool()>& go_on) {
  while (true) {
    for (const int candidate : candidates) {
      if (taken.size() == wanted) return true;
      if (std::find(taken.begin(), taken.end(), candidate) != taken.end()) continue;
      if (lock(folder / fmt::format("{}-{}", kind, candidate)) >= 0) taken.push_back(candidate);
    }
    if (taken.size() == wanted) return true;
    if (!go_on()) return false;
  }
}

}  // namespace

std::vector<int> CoreLedger::all_cores() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  std::vector<int> cores;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
    for (int core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(core, &allowed)) cores.push_back(core);
    }
  }
  if (cores.empty()) cores.push_back(0);
  return cores;
}

std::int64_t CoreLedger::all_gpus() {
  std::int64_t count = 0;
  while (fs::exists(fmt::format("/dev/nvidia{}", count))) ++count;
  return count;
}

bool CoreLedger::take(std::int64_t cores, std::int64_t gpus, const std::function<bool()>& go_on) {
  const fs::path folder = ledger_folder();
  // Who waits holds this one, so that two jobs never each hold half of what both need.
  int turn = -1;
  while ((turn = lock(folder / "turn")) < 0) {
    if (!go_on()) return false;
  }
  const std::vector<int> all = all_cores();
  std::vector<int> devices(static_cast<std::size_t>(all_gpus()));
  std::iota(devices.begin(), devices.end(), 0);
  const auto wanted = [](std::int64_t count, const std::vector<int>& there) {
    return std::min(static_cast<std::size_t>(std::max<std::int64_t>(0, count)), there.size());
  };
  const bool taken = take_some(folder, "core", all, wanted(cores, all), cores_, go_on) &&
                     take_some(folder, "gpu", devices, wanted(gpus, devices), gpus_, go_on);
  ::close(turn);
  return taken;
}

}  // namespace etude::launch
