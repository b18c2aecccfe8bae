#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include <sys/types.h>

#include "framework/process/command.h"

namespace etude::process {

/// How a program is started. Without a word it has what this process has.
struct Start {
  enum class Leads { kNothing, kGroup, kSession };

  std::map<std::string, std::string> environment = {};  ///< added to ours
  std::filesystem::path folder = {};                    ///< to run in; empty for ours
  std::array<int, 3> streams{0, 1, 2};                  ///< descriptors for input, output and errors
  Leads leads = Leads::kNothing;                        ///< a process group, or a session, of its own
  bool default_signals = false;                         ///< none blocked, none ignored
};

/// What waitpid(2) reported, as a shell reports it: the exit code, or 128 + N when signal N ended it.
int exit_code_of(int status);

/// A program that runs while this one goes on. It keeps running when this object, or this process, ends.
class Child {
 public:
  /// Throws Error when there is no such program.
  explicit Child(const Command& command, const Start& start = {});

  pid_t pid() const { return pid_; }
  /// The exit code, once it has ended.
  std::optional<int> ended();
  /// Waits for the end.
  int wait();
  void signal(int signal) const;
  /// To all of its process group, which it leads.
  void signal_group(int signal) const;

 private:
  pid_t pid_ = 0;
  std::optional<int> code_;
};

}  // namespace etude::process
