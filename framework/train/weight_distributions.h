#pragma once

#include <map>
#include <string>
#include <vector>

#include "framework/log/distribution.h"
#include "models/model.h"

namespace etude::train {

/// How the weights are distributed in each part of each layer: "layer-00/attention", "embedding". All weights are read,
/// which takes a few nanoseconds for each.
std::map<std::string, log::Distribution> weight_distributions(const std::vector<models::Parameter>& parameters);

}  // namespace etude::train
