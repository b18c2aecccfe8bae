#pragma once

#include <filesystem>
#include <vector>

#include "report/watch/frame.h"

namespace etude::report::watch {

struct Wishes {
  std::vector<std::filesystem::path> paths;  ///< see RunList
  bool once = false;                         ///< one frame, and the end
  double interval = 1;                       ///< seconds between two looks
  Axis axis = Axis::kSteps;
  bool logarithmic = false;
};

/// Shows runs as they go on: on a terminal a screen that is redrawn, until the user quits; elsewhere (and where TERM is
/// "dumb") a line for each run that has news, until all runs are over. Returns the signal that ended it, or 0; Ctrl-C
/// is a way to quit.
int watch(const Wishes& wishes);

}  // namespace etude::report::watch
