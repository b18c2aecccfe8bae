#include <gtest/gtest.h>

#include "tests/data/abc/heard.h"

// Each bar is one letter, so that the order of the keys is the order of the bars: C 60 D 62 E 64 F 65 G 67 A 69 B 71.
namespace etude::data::abc {
namespace {

TEST(AbcRepeats, ASectionIsPlayedTwice) {
  EXPECT_EQ(keys_of("C|:D|E:|F|]"), "60 62 64 62 64 65");
  EXPECT_EQ(keys_of("C|D:|E:|"), "60 62 60 62 64 64");
  EXPECT_EQ(keys_of("|:C::D:|"), "60 60 62 62");
  EXPECT_EQ(keys_of("|:C:|:D:|"), "60 60 62 62");
  EXPECT_EQ(keys_of("|:C:||:D:|"), "60 60 62 62");
}

TEST(AbcRepeats, MoreColonsRepeatMoreOften) { EXPECT_EQ(keys_of("|::C::|D|"), "60 60 60 62"); }

TEST(AbcRepeats, NumberedEndingsArePlayedInTurn) {
  EXPECT_EQ(keys_of("|:C|1D:|2E|]F|"), "60 62 60 64 65");
  EXPECT_EQ(keys_of("C|[1D:|[2E||F|"), "60 62 60 64 65");
  EXPECT_EQ(keys_of("|:C|1D:|2E:|3F|]"), "60 62 60 64 60 65");
  EXPECT_EQ(keys_of("|:C|[1,3D:|[2E:|[4F|]"), "60 62 60 64 60 62 60 65");
  EXPECT_EQ(keys_of("|:C|[1-3D:|[4F|]"), "60 62 60 62 60 62 60 65");
}

TEST(AbcRepeats, TheLastEndingMayHaveARepeatSignToo) { EXPECT_EQ(keys_of("C|[1D:|[2E:|F|"), "60 62 60 64 65"); }

TEST(AbcRepeats, AnEndingMayBeginInMidBar) { EXPECT_EQ(heard("C2[1D2:|[2E2|]"), "60@0+2 62@2+2 60@4+2 64@6+2"); }

// What tunes with a |: in one part only, or none, mean: a part goes back to the end of the part before.
TEST(AbcRepeats, ANewPartBeginsBehindTheLastEnding) {
  EXPECT_EQ(keys_of("C|[1D:|[2E|]F|G:|"), "60 62 60 64 65 67 65 67");
  EXPECT_EQ(keys_of("C|[1D:|[2E||F|[1G:|[2A||"), "60 62 60 64 65 67 65 69");
}

TEST(AbcRepeats, TiesGoOnIntoEachEnding) { EXPECT_EQ(heard("|:C4-|1C4:|2C2D2|]"), "60@0+8 60@8+6 62@14+2"); }

TEST(AbcRepeats, MetreAndKeyGoBackWithTheMusic) {
  const Score score = only_tune("X:1\nL:1/4\nM:2/4\nK:C\n|:CD|[M:1/4]E:|\n").score;
  EXPECT_EQ(heard(score), "60@0+1 62@1+1 64@2+1 60@3+1 62@4+1 64@5+1");
  ASSERT_EQ(score.time_signatures.size(), 4u);
  EXPECT_EQ(score.time_signatures[2], (TimeSignature{3 * score.ticks_per_quarter, 2, 4}));
}

}  // namespace
}  // namespace etude::data::abc
