#pragma once

#include <functional>
#include <optional>

#include "framework/comm/tcp.h"

namespace etude::comm {

/// What the process was started as, read off its environment.
struct Launch {
  bool mpi = false;
  std::optional<int> ranks;     ///< how many the launcher says it started, where it does
  std::optional<TcpPlace> tcp;  ///< for ranks without MPI
};

/// Looks a variable up as std::getenv does.
using Environment = std::function<const char*(const char* name)>;

/// Open MPI's mpirun sets OMPI_COMM_WORLD_SIZE, MPICH's and Intel's PMI_SIZE, srun --mpi=pmix PMIX_RANK. Without any of
/// these, ranks meet over TCP: by RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, or by what srun tells its tasks. Throws
/// UsageError when ETUDE_COMM is not "mpi", and Error when several processes were started with no MPI between them:
/// each would believe itself alone, and all would write the same run.
Launch discover_launch(const Environment& environment);

/// Whether an MPI launcher started this process, be it as the only rank.
bool has_mpi_launcher(const Environment& environment);

}  // namespace etude::comm
