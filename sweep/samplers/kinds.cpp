#include "sweep/sampler.h"
#include "sweep/samplers/random.h"

namespace etude::sweep {

const std::vector<SamplerKind>& sampler_kinds() {
  static const std::vector<SamplerKind> kinds{
      {"random", make_random_sampler},
  };
  return kinds;
}

}  // namespace etude::sweep
