#include "data/tokenizer/remi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/config/error.h"
#include "tests/data/tokenizer/words.h"

namespace etude::data {
namespace {

using etude::testing::ids;
using etude::testing::words;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

Score score_of(std::vector<Note> notes, std::vector<TimeSignature> meters = {}) {
  Score score;
  score.ticks_per_quarter = 480;
  score.time_signatures = std::move(meters);
  score.tracks.push_back({"right", 0, false, std::move(notes), {}});
  return score;
}

std::string encoded(const Score& score) {
  const Remi remi;
  return words(remi, remi.encode(score));
}

TEST(Remi, WritesBarsMetersPositionsAndNotes) {
  // At 480 ticks a quarter a position (an eighth of a beat) is 60 ticks.
  EXPECT_EQ(encoded(score_of({{0, 480, 60, 63}, {0, 960, 64, 63}, {720, 240, 67, 100}, {1920, 1920, 72, 127}})),
            "BOS Bar TimeSig_4/4 "
            "Position_0 Pitch_60 Velocity_63 Duration_1.0.8 Pitch_64 Velocity_63 Duration_2.0.8 "
            "Position_12 Pitch_67 Velocity_99 Duration_0.4.8 "
            "Bar TimeSig_4/4 Position_0 Pitch_72 Velocity_127 Duration_4.0.4 EOS");
}

TEST(Remi, WritesEmptyBarsBetweenNotesButNoneAfterTheLast) {
  EXPECT_EQ(encoded(score_of({{1440 * 2, 9600, 60, 63}}, {{0, 3, 4}})),
            "BOS Bar TimeSig_3/4 Bar TimeSig_3/4 Bar TimeSig_3/4 Position_0 Pitch_60 Velocity_63 Duration_12.0.4 EOS");
}

TEST(Remi, AnEighthOfSixEightIsCutAsFinelyAsAQuarterOfFourFour) {
  // A position is 30 ticks in 6/8 and 60 in 4/4. 4/4 begins after two bars of 6/8, at 2880.
  EXPECT_EQ(
      encoded(score_of({{240, 240, 60, 63}, {2910, 480, 62, 63}, {2970, 480, 64, 63}}, {{0, 6, 8}, {2880, 4, 4}})),
      "BOS Bar TimeSig_6/8 Position_8 Pitch_60 Velocity_63 Duration_1.0.8 Bar TimeSig_6/8 "
      "Bar TimeSig_4/4 "
      "Position_0 Pitch_62 Velocity_63 Duration_1.0.8 "  // 2910 lies half-way to position 1: to the even one
      "Position_2 Pitch_64 Velocity_63 Duration_1.0.8 EOS");
}

TEST(Remi, AChangeOfMeterWithinABarWaitsForTheNextBarLine) {
  EXPECT_EQ(encoded(score_of({{1440, 480, 60, 63}, {1920, 480, 62, 63}}, {{0, 4, 4}, {500, 2, 4}})),
            "BOS Bar TimeSig_4/4 Position_24 Pitch_60 Velocity_63 Duration_1.0.8 "
            "Bar TimeSig_2/4 Position_0 Pitch_62 Velocity_63 Duration_1.0.8 EOS");
}

TEST(Remi, MetersWithoutATokenAreLeftOut) {
  EXPECT_EQ(encoded(score_of({{0, 480, 60, 63}}, {{0, 7, 8}})),
            "BOS Bar TimeSig_4/4 Position_0 Pitch_60 Velocity_63 Duration_1.0.8 EOS");
}

TEST(Remi, MergesPitchedTracksAndLeavesOutDrumsAndKeysOutOfRange) {
  Score score = score_of({{480, 480, 60, 63}, {480, 480, 20, 63}, {480, 480, 110, 63}});
  score.tracks.push_back({"drums", 0, true, {{0, 480, 38, 63}}, {}});
  score.tracks.push_back({"left", 0, false, {{0, 480, 40, 63}, {480, 480, 43, 63}}, {}});
  EXPECT_EQ(encoded(score),
            "BOS Bar TimeSig_4/4 Position_0 Pitch_40 Velocity_63 Duration_1.0.8 "
            "Position_8 Pitch_60 Velocity_63 Duration_1.0.8 Pitch_43 Velocity_63 Duration_1.0.8 EOS");
}

TEST(Remi, APieceWithoutNotesHasOneBar) { EXPECT_EQ(encoded(Score{}), "BOS Bar TimeSig_4/4 EOS"); }

TEST(Remi, RefusesTimesThatWouldAskForGigabytesOfBars) {
  const Remi remi;
  EXPECT_THAT(
      [&] {
        remi.encode(score_of({{std::int64_t{1} << 40, 480, 60, 63}}));
      },
      ThrowsMessage<Error>(HasSubstr("damaged")));
  EXPECT_THROW(remi.encode(score_of({{0, 480, 60, 63}}, {{std::int64_t{1} << 40, 3, 4}})), Error);
  Score timeless = score_of({{0, 480, 60, 63}});
  timeless.ticks_per_quarter = 0;
  EXPECT_THROW(remi.encode(timeless), Error);
}

TEST(Remi, DecodesToSixteenTicksAQuarter) {
  const Remi remi;
  const Score score = remi.decode(ids(remi,
                                      "BOS Bar TimeSig_6/8 Position_8 Pitch_60 Velocity_63 Duration_1.0.8 "
                                      "Bar TimeSig_4/4 Position_1 Pitch_62 Velocity_127 Duration_4.1.4 EOS"));
  EXPECT_EQ(score.ticks_per_quarter, 16);
  EXPECT_THAT(score.time_signatures, ElementsAre(TimeSignature{0, 6, 8}, TimeSignature{48, 4, 4}));
  ASSERT_EQ(score.tracks.size(), 1U);
  EXPECT_THAT(score.tracks[0].notes, ElementsAre(Note{8, 8, 60, 63}, Note{50, 68, 62, 127}));
}

TEST(Remi, PassesOverWhatMakesNoSense) {
  const Remi remi;
  auto tokens = ids(remi,
                    "Velocity_63 Bar TimeSig_4/4 Pitch_60 Duration_1.0.8 Position_8 PAD Pitch_61 Velocity_63 "
                    "Pitch_62 Velocity_63 Duration_1.0.8 MASK Pitch_63 Velocity_63");
  tokens.insert(tokens.begin() + 3, {-1, 357, 1 << 30, -(1 << 30)});
  const Score score = remi.decode(tokens);
  ASSERT_EQ(score.tracks.size(), 1U);
  EXPECT_THAT(score.tracks[0].notes, ElementsAre(Note{16, 16, 62, 63}));
  EXPECT_THAT(remi.decode({}).tracks, IsEmpty());
}

TEST(Remi, FirstBarsEndAtABarLine) {
  const Remi remi;
  const std::string first = "BOS Bar TimeSig_4/4 Position_0 Pitch_60 Velocity_63 Duration_1.0.8";
  const std::string second = " Bar TimeSig_4/4 Position_0 Pitch_62 Velocity_63 Duration_1.0.8";
  const auto tokens = ids(remi, first + second + " EOS");
  EXPECT_EQ(words(remi, remi.first_bars(tokens, 0)), "BOS");
  EXPECT_EQ(words(remi, remi.first_bars(tokens, 1)), first);
  EXPECT_EQ(words(remi, remi.first_bars(tokens, 2)), first + second);
  EXPECT_EQ(words(remi, remi.first_bars(tokens, 9)), first + second);
}

}  // namespace
}  // namespace etude::data
