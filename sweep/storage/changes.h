#pragma once

#include <vector>

#include "sweep/storage/storage.h"

namespace etude::sweep {

/// Throws Error where Optuna could not read back what would be stored: an objective's value that is nan, a parameter
/// without a distribution.
void require_storable(const std::vector<Change>& changes);

}  // namespace etude::sweep
