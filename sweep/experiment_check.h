#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "framework/config/document.h"
#include "sweep/parameters.h"

namespace etude::sweep {

/// Compares a sweep's parameters and fixed settings with the options of the experiment (filled from its file): unknown
/// names, values out of an option's range, and options that only some of the searched alternatives have (model.memory
/// where model.kind may be gpt2). `fixed` has flat names, with the values to be set.
void check_against_experiment(const config::Section& options, const SearchSpace& space,
                              const std::map<std::string, config::Node>& fixed,
                              const std::map<std::string, config::Place>& places, const Critic& critic);

/// How many steps every trial trains for, where it does not go otherwise; nothing where that is searched.
std::optional<std::int64_t> steps_of_trials(const config::Section& options, const SearchSpace& space,
                                            const std::map<std::string, config::Node>& fixed);

}  // namespace etude::sweep
