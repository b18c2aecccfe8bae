#pragma once

#include "framework/config/document.h"
#include "sweep/parameters.h"

namespace etude::sweep {

/// Rewrites a sweep file's tree into our spelling: W&B's words (method, min and max, distribution, early_terminate,
/// run_cap, …) become ours, nested parameters get flat names ("train.lr"), parameters of one value move to `set`.
/// What has no meaning here is warned of and left out; what has no equal is complained of.
void translate(config::Node& tree, const Critic& critic);

}  // namespace etude::sweep
