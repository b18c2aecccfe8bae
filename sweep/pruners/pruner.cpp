#include "sweep/pruner.h"

#include "framework/config/error.h"

namespace etude::sweep {

void Pruner::check(const std::vector<Direction>& directions) const {
  if (directions.size() > 1) {
    throw UsageError(
        "trials with several objectives cannot be pruned, since none of them alone says who is worse; "
        "leave the pruner out, or name one metric");
  }
}

}  // namespace etude::sweep
