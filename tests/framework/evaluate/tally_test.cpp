#include "framework/evaluate/tally.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "tests/framework/evaluate/music.h"

namespace etude::evaluate {
namespace {

using namespace etude::testing;

TEST(Tally, CountsByFamilyAndByPitch) {
  const data::Vocabulary vocabulary = small_vocabulary();
  Tally tally(vocabulary);
  tally.count(kC4, kC4, 0, 0.5, 0);        // right
  tally.count(kC4, kCSharp4, 4, 2.0, 0);   // a semitone too high, still among the five likeliest
  tally.count(kB3, kVelocity, 5, 4.0, 0);  // no pitch at all, sixth
  tally.count(kBar, kB3, 1, 1.0, 0);

  EXPECT_EQ(tally.all().tokens, 4);
  EXPECT_DOUBLE_EQ(tally.all().nll, 7.5);
  EXPECT_EQ(tally.all().top1, 1);
  EXPECT_EQ(tally.all().top5, 3);
  EXPECT_EQ(tally.notes(), 3);
  EXPECT_EQ(tally.family(kPitchFamily).tokens, 3);
  EXPECT_DOUBLE_EQ(tally.family(kPitchFamily).nll, 6.5);
  EXPECT_EQ(tally.family(kPitchFamily).top5, 2);
  EXPECT_EQ(tally.family(kBarFamily).tokens, 1);
  EXPECT_EQ(tally.family(kVelocityFamily).tokens, 0);

  EXPECT_EQ(tally.families_confused(kPitchFamily, kPitchFamily), 2);
  EXPECT_EQ(tally.families_confused(kPitchFamily, kVelocityFamily), 1);
  EXPECT_EQ(tally.families_confused(kBarFamily, kPitchFamily), 1);
  EXPECT_EQ(tally.families_confused(kVelocityFamily, kPitchFamily), 0);
  EXPECT_EQ(tally.pitches(), 3);  // 59, 60, 61
  EXPECT_EQ(tally.pitches_confused(1, 1), 1);
  EXPECT_EQ(tally.pitches_confused(1, 2), 1);
  EXPECT_EQ(tally.pitches_confused(0, 3), 1);  // the column of no pitch at all
}

TEST(Tally, TellsOfStretchesOfThePieceThatDouble) {
  const data::Vocabulary vocabulary = small_vocabulary();
  Tally tally(vocabulary);
  EXPECT_TRUE(tally.by_position().empty());
  for (const std::int64_t position : {0, 15, 16, 64, 127, 127}) {
    tally.count(kC4, kC4, 0, 1.0 + static_cast<double>(position), position);
  }
  const std::vector<Tally::Stretch> found = tally.by_position();
  ASSERT_EQ(found.size(), 4U);
  const std::int64_t ends[][2] = {{0, 15}, {16, 31}, {32, 63}, {64, 127}};
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].from, ends[i][0]);
    EXPECT_EQ(found[i].to, ends[i][1]);
  }
  EXPECT_EQ(found[0].tokens, 2);
  EXPECT_EQ(found[0].nll, 1.0 + 16.0);
  EXPECT_EQ(found[1].tokens, 1);
  EXPECT_EQ(found[1].nll, 17.0);
  EXPECT_EQ(found[2].tokens, 0);
  EXPECT_EQ(found[3].tokens, 3);
  EXPECT_EQ(found[3].nll, 65.0 + 128.0 + 128.0);
  // A piece may be as long as it likes.
  tally.count(kC4, kC4, 0, 1.0, std::int64_t{1} << 40);
  EXPECT_EQ(tally.by_position().back().tokens, 1);
  EXPECT_EQ(tally.by_position().back().from, std::int64_t{1} << 40);
}

TEST(Tally, WhatIsNoSensibleLikelihoodIsCountedApart) {
  const data::Vocabulary vocabulary = small_vocabulary();
  Tally tally(vocabulary);
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), infinity, -infinity, 1e5}) {
    tally.count(kC4, kC4, 0, bad, 0);
  }
  tally.count(kC4, kC4, 0, 100.0, 0);
  EXPECT_EQ(tally.non_finite(), 4);
  EXPECT_EQ(tally.all().tokens, 1);
  EXPECT_EQ(tally.notes(), 1);
  EXPECT_DOUBLE_EQ(tally.all().nll, 100.0);
}

TEST(Tally, IsTheSameInWhateverOrderAndPartsTokensCome) {
  const data::Vocabulary vocabulary = small_vocabulary();
  std::mt19937 random(1);
  struct Token {
    data::TokenId target, predicted;
    std::int64_t likelier;
    double nll;
    std::int64_t position;
  };
  std::vector<Token> tokens;
  for (int i = 0; i < 3000; ++i) {
    tokens.push_back({static_cast<data::TokenId>(random() % 7), static_cast<data::TokenId>(random() % 7),
                      static_cast<std::int64_t>(random() % 7), std::exp(static_cast<double>(random() % 1000) / 100 - 6),
                      static_cast<std::int64_t>(random() % 5000)});
  }
  Tally whole(vocabulary);
  double nll = 0;
  for (const Token& token : tokens) {
    whole.count(token.target, token.predicted, token.likelier, token.nll, token.position);
    nll += token.nll;
  }
  EXPECT_NEAR(whole.all().nll, nll, 1e-5);
  for (const std::size_t parts : {2, 3, 16}) {
    std::shuffle(tokens.begin(), tokens.end(), random);
    std::vector<Tally> tallies(parts, Tally(vocabulary));
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const Token& token = tokens[i];
      tallies[i % parts].count(token.target, token.predicted, token.likelier, token.nll, token.position);
    }
    Tally sum(vocabulary);
    for (const Tally& part : tallies) sum.add(part);
    EXPECT_EQ(sum.values(), whole.values());
  }
}

}  // namespace
}  // namespace etude::evaluate
