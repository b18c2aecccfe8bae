#pragma once

#include <memory>

#include "sweep/pruner.h"

namespace etude::sweep {

/// A trial ends as soon as it reports something outside of two bounds, or nan.
std::unique_ptr<Pruner> make_threshold_pruner();

}  // namespace etude::sweep
