#include <gtest/gtest.h>

#include "tests/data/abc/heard.h"

namespace etude::data::abc {
namespace {

constexpr const char* kTwoHands = R"(X:1
T:Two hands
M:3/4
L:1/4
Q:1/4=60
%%score {1 2}
V:1 clef=treble name="Right hand"
V:2 clef=bass
K:G
[V:1] d2 c | B3 :|
[V:2] G,2 z & B,, D,2 | [G,D]3 :|
)";

TEST(AbcVoices, EachVoiceIsATrack) {
  const Score score = only_tune(kTwoHands).score;
  ASSERT_EQ(score.tracks.size(), 2u);
  EXPECT_EQ(score.tracks[0].name, "Right hand");
  EXPECT_EQ(score.tracks[1].name, "2");
  EXPECT_EQ(heard(score, 0), "74@0+2 72@2+1 71@3+3 74@6+2 72@8+1 71@9+3");
  EXPECT_EQ(heard(score, 1), "55@0+2 47@0+1 50@1+2 55@3+3 62@3+3 55@6+2 47@6+1 50@7+2 55@9+3 62@9+3");
  EXPECT_EQ(score.tempos.size(), 1u);
  EXPECT_EQ(score.time_signatures.size(), 1u);
}

TEST(AbcVoices, VoicesMayTakeTurnsByLine) {
  const Score score = only_tune("X:1\nM:2/4\nL:1/4\nK:C\nV:1\nCD|\nV:2\nE2|\nV:1\nEF|\nV:2\nC2|\n").score;
  EXPECT_EQ(heard(score, 0), "60@0+1 62@1+1 64@2+1 65@3+1");
  EXPECT_EQ(heard(score, 1), "64@0+2 60@2+2");
}

TEST(AbcVoices, AVoiceChangesItsKeyAlone) {
  const Score score = only_tune("X:1\nL:1/4\nK:C\nV:1\nF|[K:D]F|\nV:2\nF|F|\n").score;
  EXPECT_EQ(heard(score, 0), "65@0+1 66@1+1");
  EXPECT_EQ(heard(score, 1), "65@0+1 65@1+1");
}

TEST(AbcVoices, ClefsWithAnEightAndOctavesTranspose) {
  const Score score =
      only_tune("X:1\nL:1/4\nV:1 clef=treble-8\nV:2 octave=1\nV:3 transpose=-2\nK:C\n[V:1]c|\n[V:2]c|\n[V:3]c|\n")
          .score;
  EXPECT_EQ(heard(score, 0), "60@0+1");
  EXPECT_EQ(heard(score, 1), "84@0+1");
  EXPECT_EQ(heard(score, 2), "70@0+1");
}

TEST(AbcVoices, AnOverlayIsAVoiceOfItsOwn) {
  // The sharp belongs to the upper voice; the bar is as long as its longer voice.
  EXPECT_EQ(heard("^c2 & c/d/ e2|C|"), "73@0+2 72@0+0.5 74@0.5+0.5 76@1+2 60@3+1");
}

}  // namespace
}  // namespace etude::data::abc
