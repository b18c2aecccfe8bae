#include "analysis/excerpt.h"

#include <gtest/gtest.h>

namespace etude::analysis {
namespace {

data::Score two_hands() {
  data::Score score;
  score.ticks_per_quarter = 4;
  score.tracks.resize(3);
  for (int i = 0; i < 4; ++i) score.tracks[0].notes.push_back({4 * i, 4, 60 + i, 64});
  for (int i = 0; i < 2; ++i) score.tracks[1].notes.push_back({8 * i, 8, 40 + i, 64});
  score.tracks[2].drums = true;
  for (int i = 0; i < 8; ++i) score.tracks[2].notes.push_back({2 * i, 1, 35, 64});
  score.tracks[1].pedals = {{0, 4}, {12, 4}};
  score.tempos = {{0, 100.0}, {12, 50.0}};
  return score;
}

TEST(FirstNotes, AreCountedOverAllTracksAndKeepWhatBeginsTogether) {
  EXPECT_EQ(pitched_notes(two_hands()), 6);
  // By start: 0 (twice), 4, 8 (twice), 12. The fourth begins at 8, and so does the fifth.
  const data::Score cut = first_notes(two_hands(), 4);
  EXPECT_EQ(cut.tracks[0].notes.size(), 3U);
  EXPECT_EQ(cut.tracks[1].notes.size(), 2U);
  EXPECT_EQ(cut.tracks[2].notes.size(), 5U);  // 0, 2, 4, 6, 8
  EXPECT_EQ(cut.tracks[1].pedals.size(), 1U);
  EXPECT_EQ(cut.tempos.size(), 1U);
  EXPECT_EQ(cut.tracks[1].notes[1].duration, 8);  // what has begun is played to its end
}

TEST(FirstNotes, OfAShortPieceAreAllOfIt) {
  for (const std::int64_t notes : {6, 7, 1000, 0}) {
    const data::Score cut = first_notes(two_hands(), notes);
    EXPECT_EQ(pitched_notes(cut), 6);
    EXPECT_EQ(cut.tempos.size(), 2U);
  }
  EXPECT_EQ(pitched_notes(first_notes({}, 3)), 0);
}

}  // namespace
}  // namespace etude::analysis
