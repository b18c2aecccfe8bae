// Scores as damaged and malicious files give them: they end, in little time and memory, in notation or in an Error.
#include <gmock/gmock.h>

#include "framework/config/error.h"
#include "render/excerpt.h"
#include "render/musicxml.h"
#include "render/performance.h"
#include "tests/render/support.h"

namespace etude::render {
namespace {

using ::testing::HasSubstr;
using testing::kTicks;
using testing::piano;

/// Every voice fills its measure, and no rest or note lasts nothing.
void expect_whole(const Notation& notation) {
  ASSERT_FALSE(notation.measures.empty());
  for (const Measure& measure : notation.measures) {
    for (const Staff& staff : measure.staves) {
      ASSERT_FALSE(staff.voices[0].empty());
      for (const auto& voice : staff.voices) {
        int at = 0;
        for (const Element& element : voice) {
          ASSERT_EQ(element.offset, at);
          ASSERT_GT(element.duration, 0);
          at += element.duration;
        }
        if (!voice.empty()) {
          ASSERT_EQ(at, measure.length);
        }
      }
    }
  }
}

TEST(Hostile, NoNotesAreOneEmptyMeasure) {
  EXPECT_EQ(notate(data::Score{}).measures.size(), 1U);
  expect_whole(notate(piano({})));
  EXPECT_THAT(to_musicxml(notate(data::Score{})), HasSubstr("measure=\"yes\""));
}

TEST(Hostile, NotesWithoutLengthAreSeen) {
  data::Score score = piano({});
  for (int i = 0; i < 200; ++i) score.tracks[0].notes.push_back({i * 37, 0, i % 128, 80});
  const Notation notation = notate(score);
  expect_whole(notation);
  EXPECT_GT(perform(score).seconds, 0);
}

TEST(Hostile, OneTickPerQuarterAndNotesOfAnHour) {
  data::Score score = piano({{0, 7200, 60, 80}, {3, 7000, 64, 80}, {5000, 1, 67, 80}});
  score.ticks_per_quarter = 1;
  const Notation notation = notate(score);
  expect_whole(notation);
  EXPECT_EQ(notation.measures.size(), 1800U);
}

TEST(Hostile, ThousandsOfMetersAndTempos) {
  data::Score score = piano({{0, kTicks, 60, 80}, {4000, kTicks, 62, 80}, {8000, kTicks, 62, 80}});
  for (int i = 0; i < 4000; ++i) {
    score.time_signatures.push_back({i * 3, 1 + i % 255, 1 << i % 9});
    score.tempos.push_back({i, i % 3 == 0 ? 0.0 : 1e6 / (i + 1)});
    score.key_signatures.push_back({i * 7, i % 40 - 20, i % 2 == 0});
  }
  expect_whole(notate(score));
  EXPECT_GT(perform(score).seconds, 0);
}

TEST(Hostile, ADayOfSilenceIsRefusedAndItsBeginningCanBeTaken) {
  const data::Score score = piano({{0, kTicks, 60, 80}, {std::int64_t{1} << 40, kTicks, 62, 80}});
  try {
    notate(score);
    FAIL() << "was written";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("--bars"));
  }
  const data::Score beginning = take(score, {8, 0});
  EXPECT_EQ(data::count_notes(beginning), 1);
  expect_whole(notate(beginning));
}

TEST(Hostile, HundredsOfNotesAtOnce) {
  data::Score score = piano({});
  for (int start = 0; start < 40; ++start) {
    for (int pitch = 0; pitch < 128; ++pitch)
      score.tracks[0].notes.push_back({start * 100, 100 + pitch * 11, pitch, 80});
  }
  expect_whole(notate(score));
}

TEST(Excerpt, EndsAtABarLineOrASecond) {
  const data::Score score = piano({{0, 8 * kTicks, 60, 80}, {5 * kTicks, kTicks, 64, 80}});
  const data::Score bar = take(score, {1, 0});
  ASSERT_EQ(data::count_notes(bar), 1);
  EXPECT_EQ(bar.tracks[0].notes[0].duration, 4 * kTicks);  // 4/4, where nothing is said
  EXPECT_EQ(data::end_of(take(score, {0, 2.75})), 5.5 * kTicks);
  EXPECT_EQ(data::end_of(take(score, {100, 0})), 8 * kTicks);
  const data::Score after_upbeat = take(score, {1, 0}, kTicks);
  EXPECT_EQ(data::end_of(after_upbeat), 5 * kTicks);
}

}  // namespace
}  // namespace etude::render
