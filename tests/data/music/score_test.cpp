#include "data/music/score.h"

#include <gtest/gtest.h>

namespace etude::data {
namespace {

Score changing_tempo() {
  Score score;
  score.ticks_per_quarter = 100;
  score.tempos = {{200, 60.0}, {400, 240.0}};
  return score;
}

// 2 quarters at the default 120 last 1 s, 2 quarters at 60 last 2 s, then a quarter lasts 0.25 s.
TEST(Score, SecondsFollowTheTempoChanges) {
  const Score score = changing_tempo();
  EXPECT_DOUBLE_EQ(seconds_at(score, 0), 0);
  EXPECT_DOUBLE_EQ(seconds_at(score, 100), 0.5);
  EXPECT_DOUBLE_EQ(seconds_at(score, 200), 1);
  EXPECT_DOUBLE_EQ(seconds_at(score, 300), 2);
  EXPECT_DOUBLE_EQ(seconds_at(score, 400), 3);
  EXPECT_DOUBLE_EQ(seconds_at(score, 800), 4);
}

TEST(Score, TickAtIsTheInverseOfSecondsAt) {
  const Score score = changing_tempo();
  for (std::int64_t tick = 0; tick < 1000; tick += 7) EXPECT_EQ(tick_at(score, seconds_at(score, tick)), tick);
  EXPECT_EQ(tick_at(score, 2.5), 350);
}

TEST(Score, TheLastOfSeveralTemposAtOneTimeHolds) {
  Score score;
  score.ticks_per_quarter = 480;
  score.tempos = {{0, 30.0}, {0, 60.0}};
  EXPECT_DOUBLE_EQ(seconds_at(score, 480), 1);
}

TEST(Score, EndsWithTheLongestNoteOfAnyTrack) {
  Score score;
  EXPECT_EQ(end_of(score), 0);
  score.tracks.resize(2);
  score.tracks[0].notes = {{0, 500, 60, 64}, {100, 10, 62, 64}};
  score.tracks[1].notes = {{200, 100, 40, 64}};
  EXPECT_EQ(end_of(score), 500);
  EXPECT_EQ(count_notes(score), 3);
}

}  // namespace
}  // namespace etude::data
