#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "data/tokenizer/tokenizer.h"
#include "generation/sampler.h"
#include "models/model.h"

namespace etude::generation {

struct GenerationOptions {
  SamplingOptions sampling;
  std::uint64_t seed = 1;
  int count = 1;                    ///< variations, made side by side
  int bars = 0;                     ///< bars to add to the prompt; 0: until the piece ends by itself
  std::int64_t most_tokens = 8192;  ///< tokens to add at the most, however many bars that are
  bool valid_only = true;           ///< only tokens that the grammar allows
};

struct Piece {
  std::vector<data::TokenId> tokens;  ///< the prompt's included; ends with EOS_None unless most_tokens cut it off
  std::int64_t prompt = 0;            ///< how many of them are the prompt
  bool ended_by_itself = false;
};

/// Continues `prompt` (at least BOS_None) `count` times. Piece i draws from its own stream of random numbers, keyed by
/// (seed, i). When a piece outgrows the model's context the window slides: the model starts again on the newer half.
/// `progress` is told how many tokens the longest piece has got.
std::vector<Piece> generate(models::Model& model, const data::Tokenizer& tokenizer,
                            const std::vector<data::TokenId>& prompt, const GenerationOptions& options,
                            const std::function<void(std::int64_t tokens)>& progress = {});

}  // namespace etude::generation
