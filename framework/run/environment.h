#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace etude::run {

/// "0.1.0 (revision 1a2b3c4)".
std::string version();

/// What a reader of the results must know to defend them: versions, hardware, source revision, time, ranks and threads.
nlohmann::json environment(const std::string& communicator, int ranks, int threads_per_rank);

}  // namespace etude::run
