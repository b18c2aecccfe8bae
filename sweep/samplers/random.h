#pragma once

#include <memory>

#include "sweep/sampler.h"

namespace etude::sweep {

/// Gives every parameter that is active and not fixed the value that `draw` says, deciding ones first.
template <typename Draw>
Assignment fill(const Question& question, Draw draw) {
  Assignment values;
  for (const SearchSpace::Entry& entry : question.space.entries) {
    if (!question.space.is_active(entry, values)) continue;
    const auto fixed = question.fixed.find(entry.name);
    values[entry.name] = fixed != question.fixed.end() ? fixed->second : draw(entry);
  }
  return values;
}

/// Every value as likely as any other (Bergstra and Bengio 2012). Needs no history.
std::unique_ptr<Sampler> make_random_sampler();
/// What it suggests, for samplers that know nothing yet.
Assignment random_values(const Question& question);

}  // namespace etude::sweep
