#pragma once

#include <cstdint>

namespace etude::models {

/// Where dropout draws from: a counter-based generator, so that what is dropped is a function of (seed, step, grain,
/// place in the model, element) and of nothing else: no thread, rank or order of evaluation changes it.
struct DropoutKey {
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
  std::uint64_t grain = 0;
};

}  // namespace etude::models
