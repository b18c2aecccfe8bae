#pragma once

#include <memory>

#include "sweep/sampler.h"

namespace etude::sweep {

/// CMA-ES over the numerical parameters that every trial has; what is categorical or conditional is drawn at
/// random. Its state is never stored: it is replayed from the trials, each of which notes its generation, and the
/// first of a generation which results that was made from. So it does not matter who asks, how often it was restarted,
/// and what came late. A generation that more trials run in than it needs goes on with the first that are done.
std::unique_ptr<Sampler> make_cma_es_sampler();

}  // namespace etude::sweep
