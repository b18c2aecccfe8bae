#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/tokenizer/vocabulary.h"

namespace etude::generation {

struct SamplingOptions {
  double temperature = 1.0;  ///< 0 takes the likeliest token
  std::int64_t top_k = 0;    ///< only the k likeliest; 0: all
  double top_p = 1.0;        ///< only the fewest likeliest that together reach this probability (Holtzman et al. 2020)
  double repetition_penalty = 1.0;  ///< above 1 disfavours tokens of the context (Keskar et al. 2019, section 4.1)
};
/// Throws UsageError naming the option that is out of range.
void check(const SamplingOptions& options);

/// Draws the next token. `logits` is overwritten. `allowed` (empty: all) must allow at least one token. `context`: the
/// tokens the penalty looks at. `uniform` in [0, 1) decides; the same number gives the same token.
data::TokenId sample(std::span<float> logits, const std::vector<bool>& allowed, std::span<const data::TokenId> context,
                     const SamplingOptions& options, double uniform);

}  // namespace etude::generation
