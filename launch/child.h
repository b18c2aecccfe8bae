#pragma once

#include <map>
#include <optional>
#include <string>

#include <sys/types.h>

#include "launch/command.h"

namespace etude::launch {

/// A program that runs while its supervisor goes on. It keeps running when this object, or this process, ends.
class Child {
 public:
  /// Starts it with these variables added to the environment, and with default signals. What it prints goes where this
  /// process prints. Throws Error when there is no such program.
  Child(const Command& command, const std::map<std::string, std::string>& environment);

  /// The exit code as a shell has it, once it has ended.
  std::optional<int> ended();
  void signal(int signal) const;

 private:
  pid_t pid_ = 0;
  std::optional<int> code_;
};

}  // namespace etude::launch
