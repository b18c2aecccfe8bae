#pragma once

#include <memory>

#include "sweep/pruner.h"

namespace etude::sweep {

/// Asynchronous successive halving over all trials; see Rungs.
std::unique_ptr<Pruner> make_successive_halving_pruner();

/// Hyperband (Li et al. 2017): successive halving in brackets, which begin to halve later and later; each trial belongs
/// to one of them by its number, to each bracket about as much training as to the others.
std::unique_ptr<Pruner> make_hyperband_pruner();

}  // namespace etude::sweep
