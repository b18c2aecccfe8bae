#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace etude::run {

/// "0.1.0 (revision 1a2b3c4)".
std::string version();

/// What tells this build of the program from another: version and hash of the executable file. Throws Error.
std::string build();

/// Version and size of the LibTorch that this process has loaded: "2.11.0 (libtorch_cpu.so of 468239361 bytes)".
std::string libtorch();

/// What decides how products are rounded: "AMD EPYC 7B13, AVX2".
std::string processor();

/// What a reader of the results must know to defend them: versions, hardware, source revision, time, ranks and threads.
nlohmann::json environment(const std::string& communicator, int ranks, int threads_per_rank);

}  // namespace etude::run
