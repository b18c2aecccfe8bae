#pragma once

#include <filesystem>
#include <string>

#include "framework/process/command.h"

namespace etude::process {

/// How a program ended, and what it said.
struct Outcome {
  int code = 0;        ///< exit code; 128 + N when signal N ended it; kNotFound, kOutOfTime
  std::string output;  ///< standard output
  std::string errors;  ///< standard error

  static constexpr int kNotFound = 127;   ///< there is no such program
  static constexpr int kOutOfTime = 124;  ///< it had not ended in time, and was killed

  /// The first line of what it complained about, without a newline.
  std::string complaint() const;
};

struct RunOptions {
  double seconds = 60;                ///< for how long it may take
  std::string input = {};             ///< goes to its standard input
  std::filesystem::path folder = {};  ///< that it runs in; empty for ours
  std::size_t most = 64U << 20;       ///< bytes of each stream that are kept: the last ones
  bool with_descendants = false;      ///< out of time, what it has started is killed with it
};

/// Runs a program to its end.
Outcome run(const Command& command, const RunOptions& options = {});

}  // namespace etude::process
