#pragma once

#include <memory>

#include "sweep/sampler.h"

namespace etude::sweep {

/// NSGA-II (Deb, Pratap, Agarwal and Meyarivan 2002): a population evolves towards the Pareto front of one or several
/// objectives. Every trial notes its generation, and the first of a generation notes the trials that were selected to
/// be its parents; so a generation is a function of the history, whatever is late or runs at the same time.
std::unique_ptr<Sampler> make_nsga2_sampler();

}  // namespace etude::sweep
