#include "sweep/samplers/unit_cube.h"

#include <algorithm>
#include <cmath>

namespace etude::sweep {

Scale::Scale(const Distribution& distribution) : low(distribution.low), high(distribution.high) {
  if (distribution.is_categorical()) {
    low -= 0.5;
    high += 0.5;
  } else if (const auto count = distribution.count(); count && distribution.step) {
    high = low + (*count - 1) * *distribution.step + *distribution.step / 2;  // low and high may be no steps apart
    low -= *distribution.step / 2;
  }
  if (distribution.log) {
    low = std::log(low);
    high = std::log(high);
  }
}

double to_scale(const Distribution& distribution, double internal) {
  return distribution.log ? std::log(internal) : internal;
}

double from_scale(const Distribution& distribution, double place) {
  return distribution.snapped(distribution.log ? std::exp(place) : place);
}

double from_unit(const Distribution& distribution, double u) {
  const Scale scale(distribution);
  return from_scale(distribution, scale.low + u * scale.width());
}

double to_unit(const Distribution& distribution, double internal) {
  return to_unit(distribution, Scale(distribution), internal);
}

double to_unit(const Distribution& distribution, const Scale& scale, double internal) {
  if (scale.width() <= 0) return 0.5;
  return std::clamp((to_scale(distribution, internal) - scale.low) / scale.width(), 0.0, 1.0);
}

}  // namespace etude::sweep
