#include "analysis/repetition.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <gtest/gtest.h>

#include "analysis/note_stream.h"
#include "tests/analysis/pieces.h"
#include "tests/data/tokenizer/random_music.h"

namespace etude::analysis {
namespace {

using testing::melody;
using testing::piece_of;

/// Eight notes no four of which are like another four.
const std::vector<int> kPhrase{60, 61, 63, 66, 70, 65, 67, 60};

std::vector<int> twice(int higher) {
  std::vector<int> pitches = kPhrase;
  for (const int pitch : kPhrase) pitches.push_back(pitch + higher);
  return pitches;
}

TEST(Repetition, OfAPhrasePlayedTwiceIsItsSecondHalf) {
  const auto found = repetition(melody(twice(0)), {4, 8});
  EXPECT_EQ(found[0].length, 4);
  EXPECT_DOUBLE_EQ(found[0].transposed, 0.5);
  EXPECT_DOUBLE_EQ(found[0].exact, 0.5);
  EXPECT_DOUBLE_EQ(found[1].transposed, 0.5);
  EXPECT_DOUBLE_EQ(found[1].exact, 0.5);
}

TEST(Repetition, KnowsATransposedPhraseFromAnExactOne) {
  const auto found = repetition(melody(twice(5)), {8});
  EXPECT_DOUBLE_EQ(found[0].transposed, 0.5);
  EXPECT_DOUBLE_EQ(found[0].exact, 0);
}

TEST(Repetition, IsNoneInAnotherRhythm) {
  data::Score score = melody(kPhrase);
  for (std::size_t i = 0; i < kPhrase.size(); ++i) {
    score.tracks[0].notes.push_back({1920 + static_cast<std::int64_t>(i) * 480, 240, kPhrase[i], 64});
  }
  EXPECT_DOUBLE_EQ(repetition(score, {4})[0].transposed, 0);
}

TEST(Repetition, OfANoteStruckOnAndOnBeginsWhenThePassageHasBeenHeard) {
  // The second to fourth of eight like notes begin what overlaps its model; the last four have been heard.
  EXPECT_DOUBLE_EQ(repetition(melody(std::vector<int>(8, 60)), {4})[0].exact, 0.5);
}

TEST(Repetition, IsUndefinedWhereNothingCouldRepeat) {
  EXPECT_TRUE(std::isnan(repetition(melody(std::vector<int>(7, 60)), {4})[0].transposed));
  EXPECT_TRUE(std::isnan(repetition(melody({}), {4})[0].exact));
}

TEST(Repetition, DoesNotDependOnHowAFileListsAChordOrWhatItsTicksAre) {
  std::vector<data::Note> up, down;
  for (std::int64_t chord = 0; chord < 8; ++chord) {
    for (const int pitch : {60, 64, 67}) up.push_back({chord * 480, 480, pitch + static_cast<int>(chord % 4), 64});
    for (const int pitch : {67, 60, 64}) down.push_back({chord * 96, 96, pitch + static_cast<int>(chord % 4), 64});
  }
  data::Score other = piece_of(down);
  other.ticks_per_quarter = 96;
  EXPECT_DOUBLE_EQ(repetition(piece_of(up), {8})[0].exact, 0.5);
  EXPECT_DOUBLE_EQ(repetition(other, {8})[0].exact, 0.5);
}

TEST(Repetition, SurvivesAHumanTouch) {
  data::Score score = melody(twice(0));
  for (std::size_t i = 8; i < 16; ++i) score.tracks[0].notes[i].start += i % 2 == 0 ? 20 : -20;  // 1/24 of a quarter
  EXPECT_DOUBLE_EQ(repetition(score, {8})[0].exact, 0.5);
}

/// The definition, word by word.
double by_definition(const std::vector<StreamNote>& notes, std::size_t length, bool exact) {
  if (notes.size() < 2 * length) return std::nan("");
  const auto same = [&](std::size_t a, std::size_t b) {
    for (std::size_t k = 0; k < length; ++k) {
      if (notes[a + k].pitch - notes[a].pitch != notes[b + k].pitch - notes[b].pitch) return false;
      if (notes[a + k].step - notes[a].step != notes[b + k].step - notes[b].step) return false;
    }
    return !exact || notes[a].pitch == notes[b].pitch;
  };
  std::vector<bool> repeated(notes.size());
  for (std::size_t begin = length; begin + length <= notes.size(); ++begin) {
    bool before = false;
    for (std::size_t earlier = 0; earlier + length <= begin; ++earlier) before = before || same(earlier, begin);
    if (before) std::fill_n(repeated.begin() + static_cast<std::ptrdiff_t>(begin), length, true);
  }
  return static_cast<double>(std::count(repeated.begin(), repeated.end(), true)) / static_cast<double>(notes.size());
}

TEST(Repetition, IsWhatTheDefinitionSays) {
  testing::Dice dice(7);
  const std::vector<int> lengths{2, 3, 4, 5, 7, 8, 13};
  for (int round = 0; round < 40; ++round) {
    std::vector<data::Note> notes;
    std::int64_t start = 0;
    for (int i = dice.below(120); i >= 0; --i) {
      notes.push_back({start, 240, 60 + dice.below(2), 64});
      start += 240 * dice.below(2);
    }
    const data::Score score = piece_of(notes);
    const auto found = repetition(score, lengths);
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      const auto stream = note_stream(score);
      const auto length = static_cast<std::size_t>(lengths[i]);
      const double transposed = by_definition(stream, length, false), exact = by_definition(stream, length, true);
      if (std::isnan(transposed)) {
        EXPECT_TRUE(std::isnan(found[i].transposed));
        continue;
      }
      EXPECT_DOUBLE_EQ(found[i].transposed, transposed) << lengths[i] << " notes in round " << round;
      EXPECT_DOUBLE_EQ(found[i].exact, exact) << lengths[i] << " notes in round " << round;
    }
  }
}

}  // namespace
}  // namespace etude::analysis
