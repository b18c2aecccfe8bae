#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sweep/trial.h"

namespace etude::sweep {

/// How much of an objective's variance one parameter explains by itself.
struct Importance {
  std::string name;
  double importance = 0;  ///< 0 to 1; what they lack together to 1 is due to parameters acting jointly
  double deviation = 0;   ///< of that, over the trees of the forest
};

struct Importances {
  std::vector<Importance> parameters;  ///< the most important first
  std::size_t trials = 0;              ///< that were taken into account
};

/// Functional ANOVA (Hutter, Hoos and Leyton-Brown 2014, "An efficient approach for assessing hyperparameter
/// importance"): a random forest is fitted to the complete trials of finite value, and the marginal of each parameter
/// over its range (over the logarithm where it is `log`) is integrated exactly over the boxes that a tree divides the
/// space into. The same history and seed give the same numbers.
///
/// A parameter that only some trials have is judged among these alone, beside those parameters that all of them have:
/// its share is one of their variance, not of all trials'. Of more than 2,000 trials so many are drawn.
Importances importances(const History& history, std::size_t objective = 0, std::uint64_t seed = 0);

}  // namespace etude::sweep
