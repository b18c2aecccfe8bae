#pragma once

#include <random>
#include <vector>

#include "data/tokenizer/tokenizer.h"

namespace etude::testing {

/// Numbers that are the same on every machine, which the standard distributions are not.
class Dice {
 public:
  explicit Dice(unsigned seed) : generator_(seed) {}
  int below(int limit) { return static_cast<int>(generator_() % static_cast<unsigned>(limit)); }
  template <typename Container>
  auto one_of(const Container& choices) {
    return choices[static_cast<std::size_t>(below(static_cast<int>(choices.size())))];
  }

 private:
  std::mt19937 generator_;
};

/// A score full of what real files rarely have: changes of meter anywhere, meters without a token, drums, several
/// tracks with notes at one place, keys outside the range, resolutions coarser than the grid and odd ones.
inline data::Score random_score(Dice& dice) {
  using namespace data;
  Score score;
  score.ticks_per_quarter = dice.one_of(std::vector{1, 6, 8, 16, 24, 96, 100, 120, 220, 384, 480, 960, 1024});
  const int length = score.ticks_per_quarter * (1 + dice.below(60));
  const std::vector<std::pair<int, int>> meters{{4, 4},  {3, 4}, {2, 4}, {6, 8}, {3, 8},
                                                {12, 8}, {5, 4}, {7, 8}, {2, 2}};
  std::int64_t time = dice.below(3) == 0 ? dice.below(length) : 0;
  for (int changes = dice.below(6); changes > 0; --changes) {
    const auto [numerator, denominator] = dice.one_of(meters);
    score.time_signatures.push_back({time, numerator, denominator});
    if (dice.below(4) != 0) time += dice.below(length / 2 + 1);
  }
  for (int tracks = dice.below(4); tracks > 0; --tracks) {
    Track track;
    track.drums = dice.below(5) == 0;
    std::int64_t start = dice.below(score.ticks_per_quarter * 2);
    for (int notes = dice.below(80); notes > 0 && start < length; --notes) {
      track.notes.push_back(
          {start, 1 + dice.below(score.ticks_per_quarter * 15), dice.below(128), 1 + dice.below(127)});
      if (dice.below(3) != 0) start += dice.below(score.ticks_per_quarter + 1);
    }
    score.tracks.push_back(std::move(track));
  }
  return score;
}

/// Tokens in any order at all; most are such that notes come about now and then.
inline std::vector<data::TokenId> random_tokens(Dice& dice, const data::Vocabulary& vocabulary) {
  std::vector<data::TokenId> tokens;
  const auto any = [&] { return static_cast<data::TokenId>(dice.below(static_cast<int>(vocabulary.size()))); };
  const auto of_family = [&](const std::string& family) {
    for (;;)
      if (const auto id = any(); vocabulary.families()[static_cast<std::size_t>(vocabulary.family(id))] == family)
        return id;
  };
  const int length = dice.below(200);
  while (static_cast<int>(tokens.size()) < length) {
    if (dice.below(2) == 0) {
      tokens.push_back(any());
    } else if (dice.below(3) == 0) {
      tokens.push_back(of_family(dice.below(2) == 0 ? "Bar" : "TimeSig"));
    } else {
      for (const char* family : {"Pitch", "Velocity", "Duration"}) tokens.push_back(of_family(family));
    }
  }
  return tokens;
}

/// A piece drawn from what the grammar allows, any token as likely as another but for the end.
inline std::vector<data::TokenId> random_piece(Dice& dice, const data::Tokenizer& tokenizer, int length) {
  const auto grammar = tokenizer.grammar();
  const data::TokenId end = tokenizer.vocabulary().id("EOS_None");
  const data::TokenId bar = tokenizer.vocabulary().id("Bar_None");
  std::vector<data::TokenId> piece;
  std::vector<bool> allowed;
  while (piece.empty() || piece.back() != end) {
    grammar->next(allowed);
    std::vector<data::TokenId> choices;
    for (std::size_t id = 0; id < allowed.size(); ++id)
      if (allowed[id]) choices.push_back(static_cast<data::TokenId>(id));
    const bool may_end = allowed[static_cast<std::size_t>(end)];
    data::TokenId token = dice.one_of(choices);
    if (may_end && token == end) token = bar;
    if (may_end && static_cast<int>(piece.size()) >= length) token = end;
    grammar->advance(token);
    piece.push_back(token);
  }
  return piece;
}

}  // namespace etude::testing
