#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/config/error.h"
#include "tests/data/midi/bytes.h"

namespace etude::data::midi {
namespace {

using ::testing::HasSubstr;

Score two_hands() {
  Score score;
  score.ticks_per_quarter = 480;
  score.title = "Prélude";
  score.composer = "Anna";
  score.tempos = {{0, 60.0}, {960, 90.0}};
  score.time_signatures = {{0, 3, 4}, {1440, 12, 8}};
  score.key_signatures = {{0, -5, true}};
  score.tracks.push_back(
      {"right", 0, false, {{0, 480, 67, 80}, {0, 240, 60, 70}, {480, 480, 67, 81}}, {{0, 100}, {100, 5}}});
  score.tracks.push_back({"left", 11, false, {{300'000, 1, 30, 127}}, {{5, 0}, {5, 10}}});
  score.tracks.push_back({"", 0, true, {{0, 0, 35, 1}}, {}});
  return score;
}

TEST(MidiWriter, WhatIsWrittenReadsBackEqual) {
  const Score score = two_hands();
  const Score back = parse_text(serialize(score));
  EXPECT_EQ(back.ticks_per_quarter, score.ticks_per_quarter);
  EXPECT_EQ(back.title, score.title);
  EXPECT_EQ(back.composer, score.composer);
  EXPECT_EQ(back.time_signatures, score.time_signatures);
  EXPECT_EQ(back.key_signatures, score.key_signatures);
  ASSERT_EQ(back.tempos.size(), 2u);
  EXPECT_NEAR(back.tempos[1].quarters_per_minute, 90.0, 1e-4);
  ASSERT_EQ(back.tracks.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(back.tracks[i].name, score.tracks[i].name);
    EXPECT_EQ(back.tracks[i].program, score.tracks[i].program);
    EXPECT_EQ(back.tracks[i].drums, score.tracks[i].drums);
    EXPECT_EQ(back.tracks[i].notes, score.tracks[i].notes);
    EXPECT_EQ(back.tracks[i].pedals, score.tracks[i].pedals);
  }
}

// Worked out by hand from the MIDI specification.
TEST(MidiWriter, BytesAreThoseOfTheSpecification) {
  Score score;
  score.ticks_per_quarter = 96;
  score.tempos = {{0, 120.0}};
  score.tracks.push_back({"", 5, false, {{0, 200, 60, 64}}, {}});
  EXPECT_EQ(serialize(score), header(1, 2) + track(bytes({0, 0xFF, 0x51, 3, 0x07, 0xA1, 0x20})) +
                                  track(bytes({0, 0xC0, 5, 0, 0x90, 60, 64, 0x81, 0x48, 0x80, 60, 64})));
}

TEST(MidiWriter, RepeatedNotesStayApart) {
  Score score;
  score.tracks.push_back({"", 0, false, {{0, 10, 60, 64}, {10, 10, 60, 64}}, {}});
  EXPECT_EQ(parse_text(serialize(score)).tracks.at(0).notes, score.tracks[0].notes);
}

TEST(MidiWriter, RefusesWhatMidiHasNoRoomFor) {
  const auto error_of = [](auto change) -> std::string {
    Score score = two_hands();
    change(score);
    try {
      serialize(score);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(error_of([](Score& s) { s.tracks[0].notes[0].pitch = 128; }), HasSubstr("pitch 128"));
  EXPECT_THAT(error_of([](Score& s) { s.tracks[0].notes[0].velocity = 0; }), HasSubstr("velocity 0"));
  EXPECT_THAT(error_of([](Score& s) { s.tracks[0].notes[0].start = -1; }), HasSubstr("tick -1"));
  EXPECT_THAT(error_of([](Score& s) { s.tracks[0].notes[0].duration = -1; }), HasSubstr("-1 ticks"));
  EXPECT_THAT(error_of([](Score& s) { s.tempos[0].quarters_per_minute = 1; }), HasSubstr("tempo of 1 "));
  EXPECT_THAT(error_of([](Score& s) { s.time_signatures[0].denominator = 6; }), HasSubstr("3/6"));
  EXPECT_THAT(error_of([](Score& s) { s.ticks_per_quarter = 0; }), HasSubstr("0 ticks per quarter"));
}

}  // namespace
}  // namespace etude::data::midi
