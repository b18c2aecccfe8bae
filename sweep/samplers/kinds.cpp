#include "sweep/sampler.h"
#include "sweep/samplers/cma_es.h"
#include "sweep/samplers/gaussian_process.h"
#include "sweep/samplers/grid.h"
#include "sweep/samplers/nsga2.h"
#include "sweep/samplers/population.h"
#include "sweep/samplers/quasi_random.h"
#include "sweep/samplers/random.h"
#include "sweep/samplers/tpe.h"

namespace etude::sweep {

const std::vector<SamplerKind>& sampler_kinds() {
  static const std::vector<SamplerKind> kinds{
      {"tpe", make_tpe_sampler},        {"random", make_random_sampler},
      {"grid", make_grid_sampler},      {"quasi_random", make_quasi_random_sampler},
      {"cma_es", make_cma_es_sampler},  {"nsga2", make_nsga2_sampler},
      {"pbt", make_population_sampler}, {"gp", make_gaussian_process_sampler},
  };
  return kinds;
}

}  // namespace etude::sweep
