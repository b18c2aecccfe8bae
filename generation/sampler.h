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

/// Draws tokens, one after another, without allocating memory once it has seen its vocabulary.
class Sampler {
 public:
  /// Throws UsageError as check().
  explicit Sampler(const SamplingOptions& options);

  /// The next token. `logits` is overwritten. `allowed` (empty: all) must allow at least one token. `context`: the
  /// tokens the penalty looks at. `uniform` in [0, 1) decides; the same number gives the same token.
  data::TokenId draw(std::span<float> logits, const std::vector<bool>& allowed, std::span<const data::TokenId> context,
                     double uniform);

 private:
  struct Candidate {
    float logit;
    data::TokenId token;
    double weight;  ///< its probability but for a factor that all share
  };
  /// Likeliest first; of equals the lower id, so that the order does not depend on the way it is found.
  static bool likelier(const Candidate& a, const Candidate& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
  }

  void penalise(std::span<float> logits, std::span<const data::TokenId> context);
  void collect(std::span<const float> logits, const std::vector<bool>& allowed);
  /// Sets the candidates' weights and returns their sum.
  double weigh();
  /// Takes the next likeliest of the candidates from the heap that the first `left` of them are; it stands behind them.
  const Candidate& take(std::size_t left);

  SamplingOptions options_;
  std::vector<Candidate> candidates_;
  std::vector<bool> seen_;
};

}  // namespace etude::generation
