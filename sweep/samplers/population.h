#pragma once

#include <memory>

#include "sweep/sampler.h"

namespace etude::sweep {

/// System attributes of a trial of population-based training.
inline constexpr const char* kGeneration = "etude:pbt:generation";
inline constexpr const char* kMember = "etude:pbt:member";
inline constexpr const char* kUntil = "etude:pbt:until";  ///< the step at which its generation is over

/// Population-based training (Jaderberg et al. 2017, arXiv:1711.09846) in its asynchronous form. A trial is one
/// generation of one member: it trains until step (generation + 1) * interval, where the pruner "population" has it
/// finish. The member's next trial goes on from the checkpoint of its last one with the same values; or, where that is
/// among the worst of the population, from one of the best with that one's values perturbed. Compared is at equal
/// generations as far as others have come; nobody waits. A trial that came to nothing is made up for by one that goes
/// on from the best. More trials at once than members make more members.
/// A member whose generations have come to the steps of a whole training is done; when all are, so is the search.
std::unique_ptr<Sampler> make_population_sampler();

}  // namespace etude::sweep
