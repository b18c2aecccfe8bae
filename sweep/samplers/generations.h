#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sweep/trial.h"

namespace etude::sweep {

/// One generation of an evolutionary sampler.
struct Generation {
  std::vector<const Trial*> trials;  ///< by number
  /// What the first of its trials was made from, as it noted when it began. Later results of those generations change
  /// nothing any more: that is what makes the same history say the same again.
  std::vector<const Trial*> parents;
};

/// The generations that the trials of a history noted, from generation 0 on and without gaps; `kind` keeps samplers
/// apart whose trials are in one study.
std::vector<Generation> generations_of(const History& history, const std::string& kind);

/// What a trial of a generation notes; `parents` where it is the first.
std::map<std::string, Json> generation_notes(const std::string& kind, std::size_t generation,
                                             const std::vector<const Trial*>& parents);

}  // namespace etude::sweep
