#pragma once

#include <cstdint>
#include <vector>

#include "data/music/score.h"
#include "data/tokenizer/tokenizer.h"

namespace etude::generation {

/// How much of a prompt's music is kept; 0 keeps all. At most one of the two.
struct PromptCut {
  int bars = 0;
  double seconds = 0;
};

/// The tokens a piece is to be continued from: BOS_None and the music, without EOS_None.
std::vector<data::TokenId> prompt_tokens(const data::Tokenizer& tokenizer, const data::Score& score,
                                         const PromptCut& cut);

/// The score up to `seconds`: notes that start before, shortened to end there.
data::Score first_seconds(const data::Score& score, double seconds);

}  // namespace etude::generation
