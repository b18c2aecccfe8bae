#pragma once

#include <memory>

#include "sweep/pruner.h"

namespace etude::sweep {

/// A trial ends whose best report so far is worse than the median of what complete trials had reported at the same step
/// (Golovin et al. 2017, "Google Vizier", section 3.2).
std::unique_ptr<Pruner> make_median_pruner();

/// The same with any percentile: 25 keeps the best quarter.
std::unique_ptr<Pruner> make_percentile_pruner();

}  // namespace etude::sweep
