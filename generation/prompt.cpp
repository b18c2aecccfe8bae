#include "generation/prompt.h"

#include <algorithm>

#include "framework/config/error.h"

namespace etude::generation {

data::Score first_seconds(const data::Score& score, double seconds) {
  const std::int64_t end = data::tick_at(score, seconds);
  data::Score cut = score;
  const auto late = [end](const auto& event) { return event.time >= end; };
  std::erase_if(cut.tempos, late);
  std::erase_if(cut.time_signatures, late);
  std::erase_if(cut.key_signatures, late);
  const auto shorten = [end](auto& events) {
    std::erase_if(events, [end](const auto& event) { return event.start >= end; });
    for (auto& event : events) event.duration = std::min(event.duration, end - event.start);
  };
  for (data::Track& track : cut.tracks) {
    shorten(track.notes);
    shorten(track.pedals);
  }
  return cut;
}

std::vector<data::TokenId> prompt_tokens(const data::Tokenizer& tokenizer, const data::Score& score,
                                         const PromptCut& cut) {
  if (cut.bars > 0 && cut.seconds > 0) throw UsageError("--prompt-bars and --prompt-seconds cannot both be given");
  std::vector<data::TokenId> tokens = tokenizer.encode(cut.seconds > 0 ? first_seconds(score, cut.seconds) : score);
  if (cut.bars > 0) return tokenizer.first_bars(tokens, cut.bars);
  if (!tokens.empty() && tokens.back() == tokenizer.vocabulary().id("EOS_None")) tokens.pop_back();
  return tokens;
}

}  // namespace etude::generation
