#include "framework/parallel/grains.h"

namespace etude::parallel {

GrainRange grains_of_rank(std::int64_t grains, int rank, int size) {
  return {grains * rank / size, grains * (rank + 1) / size};
}

}  // namespace etude::parallel
