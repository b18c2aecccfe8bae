#include "framework/evaluate/tally.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "tests/framework/evaluate/music.h"

namespace etude::evaluate {
namespace {

using namespace etude::testing;

TEST(Tally, CountsByFamilyAndByPitch) {
  const data::Vocabulary vocabulary = small_vocabulary();
  Tally tally(vocabulary);
  tally.count({.target = kC4, .predicted = kC4, .likelier = 0, .nll = 0.5});  // right
  tally.count({.target = kC4,
               .predicted = kCSharp4,
               .likelier = 4,
               .nll = 2.0});  // a semitone too high, still among the five likeliest
  tally.count({.target = kB3, .predicted = kVelocity, .likelier = 5, .nll = 4.0});  // no pitch at all, sixth
  tally.count({.target = kBar, .predicted = kB3, .likelier = 1, .nll = 1.0});

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

  const Tally::Matrix families = tally.confusion(Tally::Confusion::kFamilies);
  EXPECT_EQ(families.at(kPitchFamily, kPitchFamily), 2);
  EXPECT_EQ(families.at(kPitchFamily, kVelocityFamily), 1);
  EXPECT_EQ(families.at(kBarFamily, kPitchFamily), 1);
  EXPECT_EQ(families.at(kVelocityFamily, kPitchFamily), 0);
  const Tally::Matrix pitches = tally.confusion(Tally::Confusion::kPitches);
  EXPECT_EQ(pitches.rows, 3);  // 59, 60, 61
  EXPECT_EQ(pitches.at(1, 1), 1);
  EXPECT_EQ(pitches.at(1, 2), 1);
  EXPECT_EQ(pitches.at(0, 3), 1);  // the column of no pitch at all
}

TEST(Tally, TellsOfStretchesOfThePieceThatDouble) {
  const data::Vocabulary vocabulary = small_vocabulary();
  Tally tally(vocabulary);
  EXPECT_TRUE(tally.by_position().empty());
  for (const std::int64_t position : {0, 15, 16, 64, 127, 127}) {
    tally.count({.target = kC4,
                 .predicted = kC4,
                 .likelier = 0,
                 .nll = 1.0 + static_cast<double>(position),
                 .position = position});
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
  tally.count({.target = kC4, .predicted = kC4, .likelier = 0, .nll = 1.0, .position = std::int64_t{1} << 40});
  EXPECT_EQ(tally.by_position().back().tokens, 1);
  EXPECT_EQ(tally.by_position().back().from, std::int64_t{1} << 40);
}

TEST(Tally, WhatIsNoSensibleLikelihoodIsCountedApart) {
  const data::Vocabulary vocabulary = small_vocabulary();
  Tally tally(vocabulary);
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), infinity, -infinity, 1e5}) {
    tally.count({.target = kC4, .predicted = kC4, .likelier = 0, .nll = bad});
  }
  tally.count({.target = kC4, .predicted = kC4, .likelier = 0, .nll = 100.0});
  EXPECT_EQ(tally.non_finite(), 4);
  EXPECT_EQ(tally.all().tokens, 1);
  EXPECT_EQ(tally.notes(), 1);
  EXPECT_DOUBLE_EQ(tally.all().nll, 100.0);
}

TEST(Tally, ComparesConfidenceWithHowOftenItWasRight) {
  const data::Vocabulary vocabulary = small_vocabulary();
  Tally tally(vocabulary);
  EXPECT_EQ(tally.calibration_error(), 0);
  tally.count({.target = kC4, .predicted = kC4, .nll = 0.5, .confidence = 0.62});
  tally.count({.target = kC4, .predicted = kB3, .nll = 0.5, .confidence = 0.64});
  tally.count({.target = kBar, .predicted = kBar, .nll = 0.5, .confidence = 1.0});
  tally.count({.target = kBar, .predicted = kC4, .nll = 0.5, .confidence = 0.3});
  tally.count({.target = kBar, .predicted = kBar, .nll = 0.5, .confidence = 0.4});
  const std::vector<Tally::Bin> bins = tally.calibration();
  EXPECT_EQ(bins.size(), 20U);
  EXPECT_NEAR(bins[12].from, 0.6, 1e-12);
  EXPECT_EQ(bins[12].tokens, 2);
  EXPECT_EQ(bins[12].correct, 1);
  EXPECT_NEAR(bins[12].confidence, 1.26, 1e-8);
  EXPECT_EQ(bins[19].tokens, 1);  // certainty lies in the last bin
  // Too sure in one bin and too modest in another: they do not make up for each other.
  // |0.63 - 1/2| * 2/5 + |1 - 1| * 1/5 + |0.3 - 0| * 1/5 + |0.4 - 1| * 1/5
  EXPECT_NEAR(tally.calibration_error(), 0.052 + 0.06 + 0.12, 1e-8);
}

TEST(Tally, KeepsPiecesApart) {
  const data::Vocabulary vocabulary = small_vocabulary();
  Tally tally(vocabulary, 3);
  tally.count({.target = kC4, .predicted = kC4, .nll = 0.5, .piece = 2});
  tally.count({.target = kBar, .predicted = kC4, .nll = 2.0, .piece = 2});
  tally.count({.target = kB3, .predicted = kC4, .nll = 4.0, .piece = 0});
  EXPECT_EQ(tally.piece(0).notes, 1);
  EXPECT_EQ(tally.piece(0).nll, 4.0);
  EXPECT_EQ(tally.piece(1).tokens, 0);
  EXPECT_EQ(tally.piece(2).tokens, 2);
  EXPECT_EQ(tally.piece(2).notes, 1);
  EXPECT_EQ(tally.piece(2).nll, 2.5);
  EXPECT_THROW(tally.count({.target = kC4, .nll = 1.0, .piece = 3}), std::out_of_range);
}

TEST(Tally, ComparesIntervalsFromTheNoteBefore) {
  const data::Vocabulary vocabulary = small_vocabulary();
  Tally tally(vocabulary);
  tally.count({.target = kC4, .predicted = kB3, .nll = 1, .previous_pitch = 61});        // -1 due, -2 guessed
  tally.count({.target = kC4, .predicted = kCSharp4, .nll = 1, .previous_pitch = 100});  // wide ones are as one
  tally.count({.target = kC4, .predicted = kBar, .nll = 1, .previous_pitch = 60});
  tally.count({.target = kC4, .predicted = kB3, .nll = 1});  // the first note is no interval
  const Tally::Matrix intervals = tally.confusion(Tally::Confusion::kIntervals);
  EXPECT_EQ(intervals.rows, 49);
  EXPECT_EQ(intervals.at(24 - 1, 24 - 2), 1);
  EXPECT_EQ(intervals.at(0, 0), 1);
  EXPECT_EQ(intervals.at(24, 49), 1);
  EXPECT_EQ(std::accumulate(intervals.counts, intervals.counts + 49 * 50, std::int64_t{0}), 3);
}

TEST(Tally, ComparesDurations) {
  const data::Vocabulary vocabulary({"Duration_0.1.8", "Bar_None", "Duration_0.2.8"});
  Tally tally(vocabulary);
  tally.count({.target = 2, .predicted = 0, .nll = 1});
  tally.count({.target = 0, .predicted = 1, .nll = 1});
  tally.count({.target = 1, .predicted = 0, .nll = 1});
  const Tally::Matrix durations = tally.confusion(Tally::Confusion::kDurations);
  EXPECT_EQ(durations.rows, 2);
  EXPECT_EQ(durations.at(1, 0), 1);
  EXPECT_EQ(durations.at(0, 2), 1);  // guessed no duration
  EXPECT_EQ(std::accumulate(durations.counts, durations.counts + 6, std::int64_t{0}), 2);
}

TEST(Tally, SumsWhatTheGrammarForbids) {
  const data::Vocabulary vocabulary = small_vocabulary();
  Tally tally(vocabulary);
  tally.count({.target = kC4, .predicted = kBar, .nll = 1, .allowed = false, .forbidden = 0.75});
  tally.count({.target = kC4, .predicted = kC4, .nll = 1, .forbidden = 0.125});
  tally.count({.target = kC4, .predicted = kC4, .nll = 1, .forbidden = 0.25});
  EXPECT_EQ(tally.forbidden_guesses(), 1);
  EXPECT_EQ(tally.forbidden_mass(), 1.125);
}

TEST(Tally, IsTheSameInWhateverOrderAndPartsTokensCome) {
  const data::Vocabulary vocabulary = small_vocabulary();
  std::mt19937 random(1);
  const auto up_to = [&](int end) { return static_cast<int>(random() % static_cast<unsigned>(end)); };
  std::vector<Prediction> tokens;
  for (int i = 0; i < 3000; ++i) {
    tokens.push_back({.target = up_to(7),
                      .predicted = up_to(7),
                      .likelier = up_to(7),
                      .nll = std::exp(up_to(1000) / 100.0 - 6),
                      .confidence = up_to(1001) / 1000.0,
                      .allowed = up_to(2) == 0,
                      .forbidden = up_to(1000) / 1000.0,
                      .piece = up_to(4),
                      .position = up_to(5000),
                      .previous_pitch = up_to(129) - 1});
  }
  Tally whole(vocabulary, 4);
  double nll = 0;
  for (const Prediction& token : tokens) {
    whole.count(token);
    nll += token.nll;
  }
  EXPECT_NEAR(whole.all().nll, nll, 1e-5);
  for (const std::size_t parts : {2, 3, 16}) {
    std::shuffle(tokens.begin(), tokens.end(), random);
    std::vector<Tally> tallies(parts, Tally(vocabulary, 4));
    for (std::size_t i = 0; i < tokens.size(); ++i) tallies[i % parts].count(tokens[i]);
    Tally sum(vocabulary, 4);
    for (const Tally& part : tallies) sum.add(part);
    EXPECT_EQ(sum.values(), whole.values());
  }
}

}  // namespace
}  // namespace etude::evaluate
