#include "analysis/ngram.h"

#include <cmath>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "tests/analysis/tunes.h"

namespace etude::analysis {
namespace {

using data::TokenId;
using testing::Dice;

using Piece = std::vector<TokenId>;

constexpr TokenId kBegin = 0, kEnd = 1;

NgramModel model_of(const std::vector<Piece>& pieces, std::int64_t vocabulary) {
  NgramModel model(vocabulary);
  for (const Piece& piece : pieces) model.learn(piece);
  model.weigh();
  return model;
}

double probability(const NgramModel& model, Piece context, TokenId token, std::size_t order) {
  context.push_back(token);
  return model.probabilities(context, context.size() - 1)[order - 1];
}

// Four tokens once, two twice, one three times, one four times: with Chen and Goodman's discounts,
// Y = 4/(4 + 2 * 2) = 1/2, D1 = 1 - 2 Y 2/4 = 0.5, D2 = 2 - 3 Y 1/2 = 1.25, D3+ = 3 - 4 Y 1/1 = 1.
// What is taken: 4 * 0.5 + 2 * 1.25 + 2 * 1 = 6.5 of 15, a tenth of it for each token of the vocabulary.
TEST(Ngram, DiscountsAreThoseOfChenAndGoodman) {
  const NgramModel model = model_of({{0, 1, 2, 3, 4, 5, 5, 6, 6, 7, 7, 7, 8, 8, 8, 8}}, 10);
  EXPECT_NEAR(probability(model, {0}, 1, 1), (1 - 0.5 + 0.65) / 15, 1e-12);
  EXPECT_NEAR(probability(model, {0}, 5, 1), (2 - 1.25 + 0.65) / 15, 1e-12);
  EXPECT_NEAR(probability(model, {0}, 7, 1), (3 - 1.0 + 0.65) / 15, 1e-12);
  EXPECT_NEAR(probability(model, {0}, 8, 1), (4 - 1.0 + 0.65) / 15, 1e-12);
  EXPECT_NEAR(probability(model, {0}, 9, 1), 0.65 / 15, 1e-12);  // never seen
  EXPECT_NEAR(probability(model, {0}, 0, 1), 0.65 / 15, 1e-12);  // never predicted
}

// Pieces "a b a b" and "a c" (a 2, b 3, c 4), each between its begin and end; too few n-grams of any count, so that the
// discounts are 0.5, 1 and 1.5. Vocabulary of 5.
//
// Bigrams: begin-a 2, a-b 2, b-a 1, b-end 1, a-c 1, c-end 1. So before a stand 2 tokens (begin, b), before b 1 (a),
// before c 1 (a), before end 2 (b, c): 6 in all. Taken: two tokens once (0.5), two twice (1) = 3, each 3/5.
//   lower(a) = (2 - 1 + 0.6)/6 = 1.6/6     lower(b) = (1 - 0.5 + 0.6)/6 = 1.1/6     lower(end) = 1.6/6
// After a: b twice, c once, 3 in all; taken 1 + 0.5 = 1.5:
//   p(b | a) = (2 - 1 + 1.5 * 1.1/6)/3     p(end | a) = (0 + 1.5 * 1.6/6)/3
TEST(Ngram, LowerOrdersCountWhatTokensFollow) {
  const NgramModel model = model_of({{kBegin, 2, 3, 2, 3, kEnd}, {kBegin, 2, 4, kEnd}}, 5);
  EXPECT_NEAR(probability(model, {kBegin, 2}, 3, 2), (1 + 1.5 * 1.1 / 6) / 3, 1e-12);
  EXPECT_NEAR(probability(model, {kBegin, 2}, kEnd, 2), (1.5 * 1.6 / 6) / 3, 1e-12);
  // Nothing was seen after an end: what is left is how many tokens a token follows.
  EXPECT_NEAR(probability(model, {kBegin, kEnd}, 2, 2), 1.6 / 6, 1e-12);

  // Trigrams after (a, b): a once, end once; taken 1. Bigrams as a lower order after b: (b, a) and (b, end) are each
  // preceded by a alone, so each counts 1: p(a | b) = (1 - 0.5 + (0.5 + 0.5) * 1.6/6)/2.
  const double lower = (0.5 + 1.6 / 6) / 2;
  EXPECT_NEAR(probability(model, {kBegin, 2, 3}, 2, 3), (0.5 + lower) / 2, 1e-12);

  // At a piece's begin there is no longer context than itself: begin-a was seen twice, and as it begins pieces that is
  // its count in lower orders as well.
  const double begin_a = (2 - 1 + 1 * 1.6 / 6) / 2;
  for (const std::size_t order : {2, 3, 5}) EXPECT_NEAR(probability(model, {kBegin}, 2, order), begin_a, 1e-12);
}

TEST(Ngram, ProbabilitiesSumToOneAfterAnyContext) {
  Dice dice(5);
  constexpr int kTokens = 23;
  std::vector<Piece> pieces;
  for (int i = 0; i < 30; ++i) {
    Piece& piece = pieces.emplace_back(Piece{kBegin});
    // Tokens that follow one another by habit, so that counts of all sizes occur in all orders.
    for (int n = 0; n < 200; ++n)
      piece.push_back(dice.roll(0, 2) > 0 ? (piece.back() * 7 + 3) % kTokens : dice.roll(2, 19));
    piece.push_back(kEnd);
  }
  const NgramModel model = model_of(pieces, kTokens);
  for (int round = 0; round < 200; ++round) {
    Piece context{kBegin};
    for (int i = dice.roll(0, 8); i > 0; --i)
      context.push_back(dice.roll(0, 1) ? (context.back() * 7 + 3) % kTokens : dice.roll(0, kTokens - 1));
    for (std::size_t order = 1; order <= NgramModel::kMostOrder; ++order) {
      double sum = 0;
      for (TokenId token = 0; token < kTokens; ++token) {
        const double p = probability(model, context, token, order);
        EXPECT_GT(p, 0);
        sum += p;
      }
      EXPECT_NEAR(sum, 1, 1e-9) << "order " << order;
    }
  }
}

TEST(Ngram, LossIsTheSumOverAllTokensButTheFirst) {
  const NgramModel model = model_of({{kBegin, 2, 3, 2, 3, kEnd}, {kBegin, 2, 4, kEnd}}, 5);
  const Piece piece{kBegin, 2, 4, 3, kEnd};
  const auto loss = model.loss(piece);
  for (std::size_t order = 1; order <= NgramModel::kMostOrder; ++order) {
    double sum = 0;
    for (std::size_t place = 1; place < piece.size(); ++place)
      sum -= std::log(model.probabilities(piece, place)[order - 1]);
    EXPECT_NEAR(loss[order - 1], sum, 1e-12);
  }
}

// A piece in which the token after next depends on two tokens: bigrams cannot know, trigrams do.
TEST(Ngram, LongerContextsLearnLongerHabits) {
  Dice dice(2);
  const auto piece = [&] {
    Piece tokens{kBegin, dice.roll(2, 9), dice.roll(2, 9)};
    for (int i = 0; i < 20000; ++i)
      tokens.push_back(2 + (tokens[tokens.size() - 1] + 3 * tokens[tokens.size() - 2] + dice.roll(0, 1)) % 8);
    return tokens;
  };
  const NgramModel model = model_of({piece()}, 10);
  const Piece other = piece();
  const auto loss = model.loss(other);
  const auto tokens = static_cast<double>(other.size() - 1);
  EXPECT_GT(loss[0] / tokens, 1.9);  // log 8 is 2.08
  EXPECT_GT(loss[1] / tokens, 1.5);
  EXPECT_NEAR(loss[2] / tokens, std::log(2), 0.1);
}

}  // namespace
}  // namespace etude::analysis
