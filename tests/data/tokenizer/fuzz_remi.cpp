#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "data/tokenizer/remi.h"

namespace {

using namespace etude::data;

void require(bool condition) {
  if (!condition) std::abort();
}

void require_sound(const Score& score) {
  const auto by_start = [](const Note& a, const Note& b) { return a.start < b.start; };
  for (const Track& track : score.tracks) {
    require(std::is_sorted(track.notes.begin(), track.notes.end(), by_start));
    for (const Note& note : track.notes)
      require(note.start >= 0 && note.duration > 0 && note.pitch >= 0 && note.pitch < kPitches && note.velocity > 0 &&
              note.velocity < 128);
  }
  require(!score.time_signatures.empty() && score.time_signatures.front().time == 0);
}

}  // namespace

/// Whatever the tokens: a sound score that can be encoded again, and a grammar that always knows how to go on.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Remi remi;
  std::vector<TokenId> tokens;
  for (std::size_t i = 0; i + 1 < size; i += 2) tokens.push_back((data[i] | data[i + 1] << 8) % 400 - 20);

  const Score score = remi.decode(tokens);
  require_sound(score);
  require_sound(remi.decode(remi.encode(score)));

  const auto grammar = remi.grammar();
  std::vector<bool> allowed;
  for (const TokenId token : tokens) {
    grammar->next(allowed);
    require(std::find(allowed.begin(), allowed.end(), true) != allowed.end());
    grammar->advance(token);
  }
  return 0;
}
