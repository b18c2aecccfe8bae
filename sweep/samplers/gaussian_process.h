#pragma once

#include <memory>

#include "sweep/sampler.h"

namespace etude::sweep {

/// Bayesian optimization: a Gaussian process is fitted to what is known, and the place is proposed where it expects the
/// greatest improvement on the logarithmic scale (Ament et al. 2023). Numbers lie on the unit cube of their
/// distributions; choices are alike or not; what is not active lies in the middle of its range, told apart by what
/// decides over it. Running trials count as if they had come out as expected (kriging believer; Ginsbourger, Le Riche
/// and Carraro 2010), pruned ones as no better than the median. Its cost grows with the cube of the observations, of
/// which it takes no more than `observations`: the best half and the newest.
std::unique_ptr<Sampler> make_gaussian_process_sampler();

}  // namespace etude::sweep
