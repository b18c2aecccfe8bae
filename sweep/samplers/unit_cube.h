#pragma once

#include "sweep/distribution.h"

namespace etude::sweep {

/// Where a number lives for those who take it for continuous: the distribution's own scale, logarithmic where it is
/// `log`, with half a step more at both ends where there are steps, so that every value has a cell of its own width.
/// A choice's scale is its index, from -1/2 to the last and a half.
struct Scale {
  explicit Scale(const Distribution& distribution);
  double low, high;  ///< low < high but for single values
  double width() const { return high - low; }
};

/// The place on that scale, which for stepped and logarithmic integers is not quite the middle of the cell.
double to_scale(const Distribution& distribution, double internal);
/// The value whose cell the place falls in.
double from_scale(const Distribution& distribution, double place);

/// The same with the scale stretched over [0, 1]: where `u` is uniform, so is what comes out (over the logarithm where
/// the distribution is `log`), ends included and every step and choice equally likely.
double from_unit(const Distribution& distribution, double u);
double to_unit(const Distribution& distribution, double internal);
double to_unit(const Distribution& distribution, const Scale& scale, double internal);  ///< for many values

}  // namespace etude::sweep
