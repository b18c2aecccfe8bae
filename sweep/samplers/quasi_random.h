#pragma once

#include <memory>

#include "sweep/sampler.h"

namespace etude::sweep {

/// Sobol's sequence, scrambled by the seed: covers the space more evenly than draws at random, and any number of trials
/// side by side do so together, since trial n is point n. Conditional parameters have their own dimension each.
std::unique_ptr<Sampler> make_quasi_random_sampler();

}  // namespace etude::sweep
