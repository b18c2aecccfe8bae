#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/config/error.h"
#include "tests/data/midi/bytes.h"

namespace etude::data::midi {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string error_of(const std::string& file) {
  try {
    parse_text(file, "prelude.mid");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(MidiReader, ReadsNotesTempoAndSignatures) {
  const Score score = parse_text(header(0, 1, 480) + track(bytes({0,    0xFF, 0x51, 3,  0x07, 0xA1, 0x20,  // 500,000 µs
                                                                  0,    0xFF, 0x58, 4,  6,    3,    24,   8,  // 6/8
                                                                  0,    0xFF, 0x59, 2,  0xFD, 1,              // C minor
                                                                  0x83, 0x60, 0x90, 60, 100,    // 480 ticks on
                                                                  0x81, 0x70, 0x80, 60, 0})));  // 240 ticks
  EXPECT_EQ(score.ticks_per_quarter, 480);
  ASSERT_EQ(score.tracks.size(), 1u);
  EXPECT_THAT(score.tracks[0].notes, ElementsAre(Note{480, 240, 60, 100}));
  EXPECT_THAT(score.tempos, ElementsAre(Tempo{0, 120.0}));
  EXPECT_THAT(score.time_signatures, ElementsAre(TimeSignature{0, 6, 8}));
  EXPECT_THAT(score.key_signatures, ElementsAre(KeySignature{0, -3, true}));
}

TEST(MidiReader, RunningStatusGoesOnAndVelocityZeroEndsANote) {
  const Score score = parse_text(header(0, 1) + track(bytes({0, 0x90, 60, 90, 10, 60, 0, 0, 62, 80, 5, 62, 0})));
  EXPECT_THAT(score.tracks.at(0).notes, ElementsAre(Note{0, 10, 60, 90}, Note{10, 5, 62, 80}));
}

TEST(MidiReader, NoteOffsEndTheOldestOpenNote) {
  const Score score =
      parse_text(header(0, 1) + track(bytes({0, 0x90, 60, 1, 4, 60, 2, 4, 0x80, 60, 0, 4, 0x80, 60, 0})));
  EXPECT_THAT(score.tracks.at(0).notes, ElementsAre(Note{0, 8, 60, 1}, Note{4, 8, 60, 2}));
}

TEST(MidiReader, ChordsKeepTheOrderOfTheirNoteOns) {
  const Score score = parse_text(header(0, 1) + track(bytes({0, 0x90, 67, 64, 0, 60, 64, 0, 64, 64,  //
                                                             9, 60, 0, 0, 64, 0, 0, 67, 0})));
  EXPECT_THAT(score.tracks.at(0).notes, ElementsAre(Note{0, 9, 67, 64}, Note{0, 9, 60, 64}, Note{0, 9, 64, 64}));
}

TEST(MidiReader, NotesThatNeverEndAreDropped) {
  const Score score = parse_text(header(0, 1) + track(bytes({0, 0x90, 67, 64, 0, 60, 64, 9, 60, 0})));
  EXPECT_THAT(score.tracks.at(0).notes, ElementsAre(Note{0, 9, 60, 64}));
}

TEST(MidiReader, EachChannelAndProgramIsATrack) {
  const Score score = parse_text(header(0, 1) + track(bytes({0, 0xC1, 40, 0,  0x91, 60,   64, 5, 0x81, 60, 0,  // violin
                                                             0, 0x99, 35, 64, 5,    0x89, 35, 0,               // drums
                                                             0, 0xC1, 73, 0,  0x91, 72,   64, 5, 0x81, 72, 0,  // flute
                                                             0, 0x90, 48, 64, 5,    0x80, 48, 0})));           // piano
  ASSERT_EQ(score.tracks.size(), 4u);
  const auto program = [&](int i) { return score.tracks[static_cast<std::size_t>(i)].program; };
  EXPECT_THAT((std::vector{program(0), program(1), program(2)}), ElementsAre(0, 40, 73));
  EXPECT_TRUE(score.tracks[3].drums);
}

TEST(MidiReader, ThePedalIsDownFromSixtyFourOn) {
  const Score score =
      parse_text(header(0, 1) + track(bytes({0, 0x92, 60, 64, 0,    0xB2, 64, 63, 2, 64, 64, 3, 64, 127,  //
                                             4, 64,   0,  1,  0x82, 60,   0})));
  EXPECT_THAT(score.tracks.at(0).pedals, ElementsAre(Pedal{2, 7}));
}

TEST(MidiReader, TakesTitleAndComposerFromTheConductorTrack) {
  const Score score =
      parse_text(header(1, 2) + track(bytes({0, 0xFF, 3, 4}) + "Sona" + bytes({0, 0xFF, 1, 6}) + "Scarla") +
                 track(bytes({0, 0xFF, 3, 1}) + "r" + bytes({0, 0x90, 60, 64, 1, 60, 0})));
  EXPECT_EQ(score.title, "Sona");
  EXPECT_EQ(score.composer, "Scarla");
  EXPECT_EQ(score.tracks.at(0).name, "r");
}

TEST(MidiReader, PassesOverUnknownChunksMetaEventsAndSystemExclusives) {
  const Score score = parse_text(header(1, 1) + chunk("XFIH", "??") +
                                 track(bytes({0, 0xF0, 2,  1,  0xF7, 0,    0xFF, 0x7F, 1, 9, 0, 0xFF, 0x60, 0,  //
                                              0, 0x90, 60, 64, 1,    0x80, 60,   0})) +
                                 "rubbish after the last track");
  EXPECT_EQ(count_notes(score), 1);
}

// 25 frames of 40 ticks: 1000 ticks a second, whatever the file says of tempo.
TEST(MidiReader, SmpteTicksKeepTheirSeconds) {
  const auto file = [](int frames, int ticks) {
    return header(0, 1, (256 - frames) << 8 | ticks) +
           track(bytes({0, 0xFF, 0x51, 3, 1, 0, 0, 0x87, 0x68, 0x90, 60, 64, 1, 0x80, 60, 0}));  // at tick 1000
  };
  const Score even = parse_text(file(25, 40));
  EXPECT_EQ(even.ticks_per_quarter, 500);
  EXPECT_DOUBLE_EQ(seconds_at(even, 1000), 1.0);
  EXPECT_DOUBLE_EQ(seconds_at(parse_text(file(25, 5)), 1000), 8.0);
  EXPECT_NEAR(seconds_at(parse_text(file(29, 100)), 1000), 1001.0 / 3000, 1e-12);
}

TEST(MidiReader, ErrorsNameTheFileTheByteAndTheFact) {
  EXPECT_THAT(error_of("RIFF...."), HasSubstr("prelude.mid: byte 0: not a Standard MIDI File"));
  EXPECT_THAT(error_of(header(2, 1) + track("")), HasSubstr("byte 8: format 2"));
  EXPECT_THAT(error_of(header(1, 1, 0) + track("")), HasSubstr("byte 12: the time division is 0"));
  EXPECT_THAT(error_of(header(1, 2) + track("")), HasSubstr("byte 26: the file ends after 1 of 2 tracks"));
  // The track's head ends at 22, its first event's status stands at 23.
  EXPECT_THAT(error_of(header(0, 1) + track(bytes({0, 60, 64}))),
              HasSubstr("byte 23: data byte 0x3c without a status"));
  EXPECT_THAT(error_of(header(0, 1) + track(bytes({0, 0x90, 200, 64}))), HasSubstr("byte 24: a data byte"));
  EXPECT_THAT(error_of(header(0, 1) + track(bytes({0x80, 0x80, 0x80, 0x80, 0}))), HasSubstr("byte 22: a number"));
  EXPECT_THAT(error_of(header(0, 1) + track(bytes({0, 0xFF, 0x51, 3, 0, 0, 0}))), HasSubstr("byte 23: a tempo of 0"));
  EXPECT_THAT(error_of(header(0, 1) + track(bytes({0, 0xFF, 0x58, 4, 0, 2, 24, 8}))),
              HasSubstr("time signature of 0/2^2"));
  const std::string whole = header(0, 1) + track(bytes({0, 0x90, 60, 64, 9, 60, 0}));
  EXPECT_THAT(error_of(whole.substr(0, whole.size() - 5)),
              HasSubstr("byte 22: this track should have 11 bytes, but only 6"));
}

TEST(MidiReader, EveryTruncationOfAFileIsAnError) {
  const std::string whole =
      header(1, 2) + track(bytes({0, 0xFF, 3, 1}) + "x") + track(bytes({0, 0x90, 60, 64, 9, 60, 0}));
  EXPECT_EQ(error_of(whole), "no error");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(error_of(whole.substr(0, size)), HasSubstr("prelude.mid: byte ")) << size;
  }
}

}  // namespace
}  // namespace etude::data::midi
