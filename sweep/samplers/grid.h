#pragma once

#include <memory>

#include "sweep/sampler.h"

namespace etude::sweep {

/// Every combination of values once, in an order shuffled by the seed, so that a grid that is cut short has seen all of
/// its range. What any trial of the study has tried or is trying is not proposed again; a combination that failed comes
/// a second time after the others, and not a third.
std::unique_ptr<Sampler> make_grid_sampler();

}  // namespace etude::sweep
