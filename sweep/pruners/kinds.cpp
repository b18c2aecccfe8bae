#include "sweep/pruner.h"
#include "sweep/pruners/none.h"
#include "sweep/pruners/patient.h"
#include "sweep/pruners/percentile.h"
#include "sweep/pruners/population.h"
#include "sweep/pruners/successive_halving.h"
#include "sweep/pruners/threshold.h"
#include "sweep/pruners/wilcoxon.h"

namespace etude::sweep {

const std::vector<PrunerKind>& pruner_kinds() {
  static const std::vector<PrunerKind> kinds{
      {"none", make_no_pruner},
      {"median", make_median_pruner},
      {"percentile", make_percentile_pruner},
      {"successive_halving", make_successive_halving_pruner},
      {"hyperband", make_hyperband_pruner},
      {"threshold", make_threshold_pruner},
      {"patient", make_patient_pruner},
      {"wilcoxon", make_wilcoxon_pruner},
      {"population", make_population_pruner},
  };
  return kinds;
}

}  // namespace etude::sweep
