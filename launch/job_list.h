#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "launch/job.h"

namespace etude::launch {

/// The jobs that this user's launcher knows, by name: one small file each, which says where the job's folder is. In
/// $XDG_STATE_HOME/etude/jobs, or ~/.local/state/etude/jobs.
class JobList {
 public:
  struct Entry {
    std::string name;
    std::filesystem::path folder;
  };

  std::vector<Entry> all() const;
  /// Throws UsageError, with the names there are, when there is none of this name. Takes a run folder or a job's folder
  /// for a name too.
  Job find(const std::string& name) const;
  /// Enters a folder under `wanted`, or under "wanted-2" and so on when another has that name. Returns the name.
  std::string enter(const std::string& wanted, const std::filesystem::path& folder);
  void forget(const std::string& name);
};

}  // namespace etude::launch
