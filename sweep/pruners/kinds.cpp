#include "sweep/pruner.h"
#include "sweep/pruners/none.h"
#include "sweep/pruners/population.h"

namespace etude::sweep {

const std::vector<PrunerKind>& pruner_kinds() {
  static const std::vector<PrunerKind> kinds{
      {"none", make_no_pruner},
      {"population", make_population_pruner},
  };
  return kinds;
}

}  // namespace etude::sweep
