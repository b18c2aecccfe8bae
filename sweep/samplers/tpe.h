#pragma once

#include <memory>

#include "sweep/sampler.h"

namespace etude::sweep {

/// The Tree-structured Parzen Estimator of Bergstra et al. (2011), in the multivariate form of Falkner, Klein and
/// Hutter (2018): what is known is split into good and bad, each is made a density, and of the points drawn from the
/// good one that is taken which is the likeliest good rather than bad. Beyond that,
/// - the better of the good weigh more, log(n + 1/2) - log(rank), as in the recombination of CMA-ES (Hansen 2016, eq.
/// 49);
/// - the good ones' kernels may be half as wide as the bad ones';
/// - parameters that others depend on are decided first; the rest is learnt from the trials of that branch alone, all
/// of
///   its parameters together, as soon as there are as many as trials at the start.
std::unique_ptr<Sampler> make_tpe_sampler();

}  // namespace etude::sweep
