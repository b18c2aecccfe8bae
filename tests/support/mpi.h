#pragma once

#include <filesystem>
#include <string>

#include <sys/wait.h>

#include "tests/support/oracle.h"

namespace etude::testing {

/// Why no ranks can be started here, or nothing where they can.
inline std::string why_no_mpirun() {
  if (run_shell("mpirun --version").exit_code == 0) return "";
  return "there is no mpirun on the PATH (script/setup installs Open MPI)";
}

/// Runs `program` on `ranks` ranks, more of them than cores if need be, and ends them all after `seconds` (the exit
/// code is then 124). `environment` is put in front of mpirun, as "NAME=value …".
inline ShellResult run_mpi(int ranks, const std::string& program, int seconds = 60,
                           const std::string& environment = "") {
  return run_shell("export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1; " +
                   environment + " timeout -k 5 " + std::to_string(seconds) +
                   " mpirun --oversubscribe --bind-to none -n " + std::to_string(ranks) + " " + program);
}

/// The path of a program that this build made in the same folder as the running test.
inline std::string program_beside_this(const std::string& name) {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / name).string();
}

}  // namespace etude::testing

/// Skips the running test, with the reason, where no ranks can be started.
#define ETUDE_NEEDS_MPIRUN()                                    \
  do {                                                          \
    const std::string reason = etude::testing::why_no_mpirun(); \
    if (!reason.empty()) GTEST_SKIP() << reason;                \
  } while (false)
