#include "framework/comm/rank_discovery.h"

#include <charconv>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>

#include "framework/comm/communicator.h"
#include "framework/comm/mpi.h"
#include "framework/comm/single_process.h"
#include "framework/comm/tcp.h"
#include "framework/config/error.h"

namespace etude::comm {
namespace {

std::optional<int> number(const Environment& environment, const char* name) {
  const char* given = environment(name);
  if (given == nullptr) return std::nullopt;
  const std::string_view text = given;
  int value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int> ranks_started(const Environment& environment) {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}) {
    if (const auto ranks = number(environment, name)) return ranks;
  }
  return std::nullopt;
}

int required(const Environment& environment, const char* name, int low, int high, int ranks) {
  const auto value = number(environment, name);
  if (value && *value >= low && *value <= high) return *value;
  const char* given = environment(name);
  throw Error(fmt::format(
      "WORLD_SIZE={0} asks for {0} ranks without MPI; then each needs {1} too, from {2} to {3} ({4}). Or start "
      "them with 'mpirun -n {0} etude …' or 'srun --mpi=pmix', or unset WORLD_SIZE",
      ranks, name, low, high, given == nullptr ? "it is not set" : fmt::format("it is '{}'", given)));
}

std::optional<std::chrono::seconds> patience(const Environment& environment) {
  const auto seconds = number(environment, "ETUDE_RENDEZVOUS_SECONDS");
  if (seconds.value_or(0) <= 0) return std::nullopt;
  return std::chrono::seconds(*seconds);
}

/// As torchrun and many schedulers describe a rank.
std::optional<TcpPlace> place_among_ranks(const Environment& environment) {
  const auto size = number(environment, "WORLD_SIZE");
  if (size.value_or(1) <= 1) return std::nullopt;
  TcpPlace place;
  place.size = *size;
  place.rank = required(environment, "RANK", 0, place.size - 1, place.size);
  place.port = required(environment, "MASTER_PORT", 1, 65535, place.size);
  // torchrun keeps that port for a store of its own.
  if (environment("TORCHELASTIC_RUN_ID")) ++place.port;
  const char* address = environment("MASTER_ADDR");
  place.address = address != nullptr && *address != '\0' ? address : "127.0.0.1";
  place.local_rank = number(environment, "LOCAL_RANK");
  place.local_size = number(environment, "LOCAL_WORLD_SIZE");
  place.patience = patience(environment).value_or(place.patience);
  return place;
}

/// The first of Slurm's list of nodes, where rank 0 is: node3 of "node[3-7,9],login", r1n04 of "r[1-2]n[04-08]".
/// Nothing for a list that cannot be read.
std::optional<std::string> first_host(std::string_view list) {
  std::string host;
  while (!list.empty() && list.front() != ',') {
    if (list.front() != '[') {
      host += list.front();
      list.remove_prefix(1);
      continue;
    }
    const std::size_t close = list.find(']');
    const std::size_t number_end = list.find_first_of("-,]");
    if (close == std::string_view::npos || number_end == 1) return std::nullopt;
    host += list.substr(1, number_end - 1);
    list.remove_prefix(close + 1);
  }
  if (host.empty()) return std::nullopt;
  return host;
}

/// As srun describes a rank to which it gave no MPI: what it started as a step of a job is a rank, a batch script is
/// none. MASTER_ADDR and MASTER_PORT, where they are set, say it better.
std::optional<TcpPlace> place_in_slurm_step(const Environment& environment) {
  const auto tasks = number(environment, "SLURM_STEP_NUM_TASKS");
  if (tasks.value_or(1) <= 1) return std::nullopt;
  const auto lacks = [&](const char* variable) {
    return Error(
        fmt::format("srun started {} tasks with no MPI between them, and they cannot find each other without {}: use "
                    "'srun --mpi=pmix', or 'mpirun' within the allocation",
                    *tasks, variable));
  };
  TcpPlace place;
  place.size = *tasks;
  place.rank = number(environment, "SLURM_PROCID").value_or(-1);
  if (place.rank < 0 || place.rank >= place.size) throw lacks("SLURM_PROCID");
  place.local_rank = number(environment, "SLURM_LOCALID");

  const char* address = environment("MASTER_ADDR");
  const char* nodes = environment("SLURM_STEP_NODELIST");
  const auto host = address != nullptr && *address != '\0' ? std::optional<std::string>(address)
                                                           : first_host(nodes != nullptr ? nodes : "");
  if (!host) throw lacks("MASTER_ADDR or SLURM_STEP_NODELIST");
  place.address = *host;

  const auto port = number(environment, "MASTER_PORT"), job = number(environment, "SLURM_JOB_ID"),
             step = number(environment, "SLURM_STEP_ID");
  if (!port && (!job || !step)) throw lacks("MASTER_PORT, or SLURM_JOB_ID and SLURM_STEP_ID");
  // Below the ports that systems give out by themselves; another for each step, since the last one's may linger.
  constexpr unsigned kFirst = 16384, kPorts = 16384, kApart = 61;
  place.port =
      port ? *port
           : static_cast<int>(kFirst + (static_cast<unsigned>(*job) * kApart + static_cast<unsigned>(*step)) % kPorts);
  if (place.port < 1 || place.port > 65535) throw lacks("a MASTER_PORT from 1 to 65535");
  place.patience = patience(environment).value_or(place.patience);
  return place;
}

}  // namespace

bool has_mpi_launcher(const Environment& environment) {
  if (environment("OMPI_COMM_WORLD_SIZE") || environment("PMI_SIZE") || environment("PMIX_RANK")) return true;
  return environment("SLURM_PROCID") && (environment("PMIX_NAMESPACE") || environment("PMIX_SERVER_URI"));
}

Launch discover_launch(const Environment& environment) {
  if (const char* wanted = environment("ETUDE_COMM"); wanted != nullptr && *wanted != '\0') {
    if (std::string_view(wanted) != "mpi") {
      throw UsageError(fmt::format("ETUDE_COMM={}: the one value it knows is 'mpi'", wanted));
    }
    return {true, std::nullopt, std::nullopt};
  }
  if (!has_mpi_launcher(environment)) {
    if (const auto place = place_among_ranks(environment)) return {false, place->size, place};
    if (const auto place = place_in_slurm_step(environment)) return {false, place->size, place};
    return {};
  }
  const auto ranks = ranks_started(environment);
  return {ranks.value_or(2) > 1, ranks, std::nullopt};
}

std::unique_ptr<Communicator> make_communicator() {
  const Launch launch = discover_launch([](const char* name) { return std::getenv(name); });
  if (launch.tcp) return std::make_unique<Tcp>(*launch.tcp);
  if (!launch.mpi) return std::make_unique<SingleProcess>();
  auto communicator = std::make_unique<Mpi>();
  if (launch.ranks && *launch.ranks != communicator->size()) {
    throw Error(
        fmt::format("the launcher started {} ranks, but {} sees {}: the launcher belongs to another MPI "
                    "library than the one Etude was built with (compare 'mpirun --version')",
                    *launch.ranks, communicator->name(), communicator->size()));
  }
  return communicator;
}

}  // namespace etude::comm
