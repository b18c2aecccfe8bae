#pragma once

#include <memory>

#include "sweep/pruner.h"

namespace etude::sweep {

/// Asks another pruner only about trials whose best value has not improved in their last `patience` + 1 reports; with
/// none, such trials end.
std::unique_ptr<Pruner> make_patient_pruner();

}  // namespace etude::sweep
