#include <gtest/gtest.h>

#include "tests/data/abc/heard.h"

// Worked out by hand from the ABC standard 2.1, chapter 4.
namespace etude::data::abc {
namespace {

TEST(AbcNotes, LettersCommasAndApostrophesGiveTheOctave) {
  EXPECT_EQ(keys_of("C,,C,CBcb|c'c''|"), "36 48 60 71 72 83 84 96");
}

TEST(AbcNotes, LengthsAreFactorsOfTheUnit) {
  EXPECT_EQ(heard("C2D/E/F3/2G//A1/4|"), "60@0+2 62@2+0.5 64@2.5+0.5 65@3+1.5 67@4.5+0.25 69@4.75+0.25");
}

TEST(AbcNotes, TheUnitComesFromTheMetreWhenThereIsNone) {
  EXPECT_EQ(heard("C|", "M:2/4\nK:C\n"), "60@0+0.25");
  EXPECT_EQ(heard("C|", "M:3/4\nK:C\n"), "60@0+0.5");
  EXPECT_EQ(heard("C|", "K:C\n"), "60@0+0.5");
}

TEST(AbcNotes, AccidentalsLastTheBarInTheirOctave) {
  EXPECT_EQ(keys_of("^FFfF|F^^F__B=B|"), "66 66 77 66 65 67 69 71");
}

TEST(AbcNotes, KeysAndModesAlterTheirSteps) {
  EXPECT_EQ(keys_of("FCB|", "L:1/4\nK:D\n"), "66 61 71");
  EXPECT_EQ(keys_of("FCB|", "L:1/4\nK:F#m\n"), "66 61 71");
  EXPECT_EQ(keys_of("BEA|", "L:1/4\nK:Eb major\n"), "70 63 68");
  EXPECT_EQ(keys_of("BEA|", "L:1/4\nK:C Minor\n"), "70 63 68");
  EXPECT_EQ(keys_of("FCB|", "L:1/4\nK:D Mixolydian\n"), "66 60 71");
  EXPECT_EQ(keys_of("FCB|", "L:1/4\nK:A dor\n"), "66 60 71");
  EXPECT_EQ(keys_of("FCB|", "L:1/4\nK:EPhr\n"), "65 60 71");
  EXPECT_EQ(keys_of("FCB|", "L:1/4\nK:F lydian\n"), "65 60 71");
  EXPECT_EQ(keys_of("FCBe|", "L:1/4\nK:B locrian\n"), "65 60 71 76");
  EXPECT_EQ(keys_of("FCB|", "L:1/4\nK:D exp _b\n"), "65 60 70");
  EXPECT_EQ(keys_of("FCB|", "L:1/4\nK:none\n"), "65 60 71");
}

TEST(AbcNotes, KeySignaturesAreTold) {
  const Score score = only_tune("X:1\nK:Gm\nG|[K:Eb]E|\n").score;
  ASSERT_EQ(score.key_signatures.size(), 2u);
  EXPECT_EQ(score.key_signatures[0].sharps, -2);
  EXPECT_TRUE(score.key_signatures[0].minor);
  EXPECT_EQ(score.key_signatures[1].sharps, -3);
  EXPECT_FALSE(score.key_signatures[1].minor);
}

TEST(AbcNotes, BrokenRhythmsShareOutTwoNotes) {
  EXPECT_EQ(heard("C>D E<F|G>>A|"), "60@0+1.5 62@1.5+0.5 64@2+0.5 65@2.5+1.5 67@4+1.75 69@5.75+0.25");
  EXPECT_EQ(heard("[CE]>z C>(3DEF|"), "60@0+1.5 64@0+1.5 60@2+1.5 62@3.5+0.3333 64@3.833+0.6667 65@4.5+0.6667");
}

TEST(AbcNotes, TupletsFillTheUsualTimeOrTheTimeGiven) {
  EXPECT_EQ(heard("(3CDE F|"), "60@0+0.6667 62@0.6667+0.6667 64@1.333+0.6667 65@2+1");
  EXPECT_EQ(heard("(3:2:2C2D F|"), "60@0+1.333 62@1.333+0.6667 65@2+1");
  EXPECT_EQ(heard("(3::2CD F|"), "60@0+0.6667 62@0.6667+0.6667 65@1.333+1");
  EXPECT_EQ(heard("(2CD E|", "M:6/8\nL:1/4\nK:C\n"), "60@0+1.5 62@1.5+1.5 64@3+1");
  EXPECT_EQ(heard("(5CDEFG A|", "M:6/8\nL:1/4\nK:C\n"), "60@0+0.6 62@0.6+0.6 64@1.2+0.6 65@1.8+0.6 67@2.4+0.6 69@3+1");
  EXPECT_EQ(heard("(5CDEFG A|"), "60@0+0.4 62@0.4+0.4 64@0.8+0.4 65@1.2+0.4 67@1.6+0.4 69@2+1");
}

TEST(AbcNotes, TupletsAreExactInTicks) {
  const Score score = only_tune("X:1\nL:1/8\nK:C\n(7:4:7CDEFGAB c|\n").score;
  EXPECT_EQ(score.ticks_per_quarter % 7, 0);
  EXPECT_EQ(score.tracks[0].notes[7].start, 2 * score.ticks_per_quarter);
}

TEST(AbcNotes, TiesJoinNotesOverTheBar) {
  EXPECT_EQ(heard("C3D-|D4|C-D|"), "60@0+3 62@3+5 60@8+1 62@9+1");
  EXPECT_EQ(heard("[CE]4-|[CE]2[C-E]2|[CE]4|"), "60@0+6 64@0+6 60@6+6 64@6+2 64@8+4");
}

TEST(AbcNotes, ATiedNoteKeepsItsAccidentalOverTheBar) { EXPECT_EQ(heard("^F4-|F2F2|"), "66@0+6 65@6+2"); }

TEST(AbcNotes, AChordLastsAsLongAsItsFirstNote) {
  EXPECT_EQ(heard("[CE4]G3|"), "60@0+1 64@0+4 67@1+3");
  EXPECT_EQ(heard("[C2E2]2|[C/E/G/]D|"), "60@0+4 64@0+4 60@4+0.5 64@4+0.5 67@4+0.5 62@4.5+1");
}

TEST(AbcNotes, RestsTakeTime) { EXPECT_EQ(heard("z C x/D/|Z|Z2|C4|"), "60@1+1 62@2.5+0.5 60@15+4"); }

TEST(AbcNotes, WhatHasNoSoundIsPassedOver) {
  EXPECT_EQ(heard("\"Am7\"!trill!C +fermata+D (E .F)| \"^dolce | %\"~v{/gab}G y4 `A T\\ % c d e\n"),
            "60@0+1 62@1+1 64@2+1 65@3+1 67@4+1 69@5+1");
  EXPECT_EQ(heard("C2|!\nD2!\nw: some words | with bars\nE2|\n"), "60@0+2 62@2+2 64@4+2");
  EXPECT_EQ(heard("%%MIDI program 40\n% a comment\nC|[r:remark]D|\n"), "60@0+1 62@1+1");
}

TEST(AbcNotes, TempoIsInQuartersPerMinute) {
  const auto tempo = [](const std::string& field) {
    return only_tune("X:1\nL:1/8\n" + field + "\nK:C\nC|\n").score.tempos.at(0).quarters_per_minute;
  };
  EXPECT_DOUBLE_EQ(tempo("Q:1/4=60"), 60);
  EXPECT_DOUBLE_EQ(tempo("Q:3/8=40"), 60);
  EXPECT_DOUBLE_EQ(tempo("Q:1/2=60 \"Largo\""), 120);
  EXPECT_DOUBLE_EQ(tempo("Q:1/4 1/8=40"), 60);
  EXPECT_DOUBLE_EQ(tempo("Q:120"), 60);
  EXPECT_TRUE(only_tune("X:1\nQ:\"Largo\"\nK:C\nC|\n").score.tempos.empty());
}

TEST(AbcNotes, MetreUnitAndTempoChangeInsideATune) {
  const Score score = only_tune("X:1\nM:2/4\nL:1/4\nK:C\nCD|[M:3/4]C[Q:1/4=90]DE|\nM:2+3/8\nL:1/8\nCDEFG|\n").score;
  EXPECT_EQ(heard(score), "60@0+1 62@1+1 60@2+1 62@3+1 64@4+1 60@5+0.5 62@5.5+0.5 64@6+0.5 65@6.5+0.5 67@7+0.5");
  ASSERT_EQ(score.time_signatures.size(), 3u);
  EXPECT_EQ(score.time_signatures[1], (TimeSignature{2 * score.ticks_per_quarter, 3, 4}));
  EXPECT_EQ(score.time_signatures[2], (TimeSignature{5 * score.ticks_per_quarter, 5, 8}));
  ASSERT_EQ(score.tempos.size(), 1u);
  EXPECT_EQ(score.tempos[0].time, 3 * score.ticks_per_quarter);
}

}  // namespace
}  // namespace etude::data::abc
