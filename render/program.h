#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace etude::render {

/// Where a program lies on $PATH; empty when it is not there.
std::filesystem::path find_program(const std::string& name);

struct ProgramResult {
  int exit_code = 0;   ///< 128 + N for signal N
  std::string output;  ///< the last 64 KiB of what it printed, errors too
  bool timed_out = false;
};

/// Runs a program without a shell, in `folder`, without input, and waits. After `seconds` it is ended with what it has
/// started. Throws Error when it cannot be started.
ProgramResult run_program(const std::vector<std::string>& command, const std::filesystem::path& folder, double seconds);

}  // namespace etude::render
