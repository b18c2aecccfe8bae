#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "report/watch/canvas.h"
#include "report/watch/run_view.h"

namespace etude::report::watch {

enum class Axis { kSteps, kTokens, kTime };

/// What is up to the user.
struct Look {
  Axis axis = Axis::kSteps;
  bool logarithmic = false;  ///< y axis of the curves
  bool alone = false;        ///< one run of several, in full
  std::size_t chosen = 0;    ///< the run
  bool keys = true;          ///< whether they are listed at the bottom
  bool unicode = true;
};

/// Draws the runs: one in full, or several as a table with the curves of the chosen one below. Any size will do: what
/// finds no room is left out, the least important first.
void draw(Canvas& canvas, const std::vector<RunView>& runs, const Look& look);

/// A run in one line, for where there is no terminal.
std::string in_a_line(const RunView& run);

}  // namespace etude::report::watch
