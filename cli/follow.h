#pragma once

#include "launch/job.h"

namespace etude::cli {

/// Prints what a job prints, as it comes, until it is over; then says how it ended. Returns the exit code that goes with
/// that: 0 done or stopped, 1 failed. On Ctrl-C it stops looking; with `owns` the first Ctrl-C asks the job to end with a
/// checkpoint, and it looks on until it has.
int follow(const launch::Job& job, bool owns);

}  // namespace etude::cli
