#pragma once

#include <filesystem>
#include <vector>

#include "report/surroundings.h"
#include "report/watch/run_view.h"

namespace etude::report::watch {

/// The runs that paths on a command line mean, also those that appear later. A path is a run folder, or a folder with
/// run folders in it; what is neither yet, or not there at all, stands for a run that is waited for.
class RunList {
 public:
  explicit RunList(std::vector<std::filesystem::path> paths);

  /// Looks for new runs, and for what is new of each. `now`: seconds since 1970.
  void poll(double now);
  const std::vector<RunView>& runs() const { return runs_; }
  /// Whether nothing more is to be expected of any of them.
  bool all_over() const;

 private:
  void search();
  void add(const std::filesystem::path& folder);
  void name_apart();

  std::vector<std::filesystem::path> paths_;
  double searched_ = 0;
  Neighbourhood neighbourhood_;
  std::vector<RunView> runs_;
};

}  // namespace etude::report::watch
