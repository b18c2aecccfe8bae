#pragma once

#include <memory>
#include <vector>

#include "sweep/pruner.h"

namespace etude::sweep {

/// A trial ends once a signed-rank test (Wilcoxon 1945) is sure enough that it is worse than the best complete one,
/// step by step. Meant for reports that are no course but many instances, such as the folds of a cross-validation.
std::unique_ptr<Pruner> make_wilcoxon_pruner();

/// How probable such differences, or ones further above zero, are where their signs are a coin's: exactly for few
/// values, else by the normal approximation. Zeros count half on either side.
double wilcoxon_greater(const std::vector<double>& differences);

}  // namespace etude::sweep
