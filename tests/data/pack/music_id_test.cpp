#include "data/pack/music_id.h"

#include <gtest/gtest.h>

#include "tests/data/pack/music.h"

namespace etude::data {
namespace {

TEST(MusicId, IsTheSameForCopiesInAnotherKeyResolutionTempoOrDivisionIntoTracks) {
  const Score score = testing::melody(5);
  const std::string id = music_id(score);
  EXPECT_EQ(music_id(testing::melody(5, 24, -7)), id);

  Score finer = score;
  finer.ticks_per_quarter = 960;
  for (Note& note : finer.tracks[0].notes) {
    note.start *= 2;
    note.duration *= 2;
  }
  EXPECT_EQ(music_id(finer), id);

  Score later = score;
  later.title = "Copy";
  later.tempos = {{0, 60}};
  for (Note& note : later.tracks[0].notes) {
    note.start += 4 * 480;
    note.velocity = 100;
  }
  EXPECT_EQ(music_id(later), id);

  Score parted = score;
  parted.tracks.push_back(parted.tracks[0]);
  parted.tracks[0].notes.resize(12);
  parted.tracks[1].notes.erase(parted.tracks[1].notes.begin(), parted.tracks[1].notes.begin() + 12);
  parted.tracks[1].program = 40;
  EXPECT_EQ(music_id(parted), id);
}

TEST(MusicId, DiffersWhenANoteDoes) {
  const Score score = testing::melody(5);
  for (const auto change : {0, 1, 2}) {
    Score other = score;
    Note& note = other.tracks[0].notes[7];
    if (change == 0) note.pitch += 1;
    if (change == 1) note.duration /= 2;
    if (change == 2) note.start += 120;
    EXPECT_NE(music_id(other), music_id(score)) << change;
  }
  EXPECT_NE(music_id(testing::melody(6)), music_id(score));
}

}  // namespace
}  // namespace etude::data
