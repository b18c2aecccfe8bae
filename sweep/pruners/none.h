#pragma once

#include <memory>

#include "sweep/pruner.h"

namespace etude::sweep {

/// Every trial goes on to its end.
std::unique_ptr<Pruner> make_no_pruner();

}  // namespace etude::sweep
