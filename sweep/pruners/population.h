#pragma once

#include <memory>

#include "sweep/pruner.h"

namespace etude::sweep {

/// The pruner's half of population-based training: a trial is finished once it has reached the step that the sampler
/// noted for its generation. Needs no keys; what stands in the notes holds.
std::unique_ptr<Pruner> make_population_pruner();

}  // namespace etude::sweep
