#include "tests/render/fuzz_notation.h"

#include <fstream>
#include <random>

#include <gtest/gtest.h>

#include "data/midi/midi.h"
#include "tests/render/support.h"
#include "tests/support/damage.h"
#include "tests/support/oracle.h"

namespace etude::render {
namespace {

/// Two hands, an upbeat, changes of meter, tempo and key, a pedal, and a title that XML has to be told of.
std::string piano_piece() {
  data::Score score = testing::piano({});
  score.title = "Prelude & <Fugue> \xc3\xa9";
  score.tempos = {{0, 90.0}, {1920, 60.0}};
  score.time_signatures = {{0, 1, 4}, {480, 3, 4}, {4800, 12, 8}};
  score.key_signatures = {{0, -3, true}, {4800, 4, false}};
  score.tracks[0].name = "right hand";
  score.tracks[0].pedals = {{0, 900}, {960, 400}};
  data::Track left;
  left.name = "left hand";
  for (int i = 0; i < 20; ++i) {
    score.tracks[0].notes.push_back({i * 240, 200 + 40 * (i % 3), 60 + i * 5 % 13, 40 + i});
    if (i % 2 == 0) left.notes.push_back({i * 240, 480, 40 + i * 7 % 12, 50});
  }
  score.tracks.push_back(left);
  return data::midi::serialize(score);
}

std::string big_endian(std::size_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

/// A file of one track with these events, and any division: ticks to the quarter, or SMPTE's.
std::string midi_file(std::size_t division, const std::string& events) {
  const std::string track = events + std::string("\x00\xff\x2f\x00", 4);
  return "MThd" + big_endian(6, 4) + big_endian(0, 2) + big_endian(1, 2) + big_endian(division, 2) + "MTrk" +
         big_endian(track.size(), 4) + track;
}

std::string tempo(std::size_t microseconds) { return std::string("\x00\xff\x51\x03", 4) + big_endian(microseconds, 3); }

/// Pieces as no pianist plays them, but programs write them.
std::vector<std::string> odd_files() {
  std::string crowd;
  for (int i = 0; i < 3000; ++i) crowd += {0, '\x90', static_cast<char>(i % 128), 64};
  for (int i = 0; i < 3000; ++i) crowd += {static_cast<char>(i % 2), '\x80', static_cast<char>(i % 128), 0};
  const std::string never_let_go("\x00\x90\x40\x40\x60\x90\x42\x40", 8);
  const std::string no_length("\x00\x90\x40\x40\x00\x80\x40\x00\x10\x90\x42\x40\x00\x80\x42\x00", 16);
  const std::string note("\x00\x90\x40\x40\x81\x00\x80\x40\x00", 9);
  std::vector<std::string> files;
  for (const std::size_t division : {1, 2, 96, 480, 32767, 0xe728, 0xe250, 0xe301}) {
    files.push_back(midi_file(division, note));
    files.push_back(midi_file(division, no_length + tempo(1) + note + tempo(0xffffff) + note + tempo(0) + note));
    files.push_back(midi_file(division, never_let_go + note));
  }
  files.push_back(midi_file(480, crowd));
  files.push_back(midi_file(1, crowd));
  return files;
}

/// What a parser of XML says of all these documents; empty where it is content.
std::string complaints_about(const std::vector<std::string>& documents) {
  const testing::TemporaryFolder folder;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    std::ofstream(folder.path() / (std::to_string(i) + ".musicxml"), std::ios::binary) << documents[i];
  }
  const auto checked = testing::run_shell("cd '" + folder.path().string() + "' && xmllint --noout --nonet *.musicxml");
  return checked.exit_code == 0 ? "" : "xmllint: " + checked.errors.substr(0, 2000);
}

bool has_xmllint() { return testing::run_shell("command -v xmllint").exit_code == 0; }

TEST(NotationFuzz, OddFilesAreWrittenDown) {
  std::vector<std::string> documents;
  for (const std::string& file : odd_files()) documents.push_back(written_down(file));
  for (const std::string& document : documents) EXPECT_FALSE(document.empty());
  if (!has_xmllint()) GTEST_SKIP() << "xmllint is not here; script/setup --test installs it";
  EXPECT_EQ(complaints_about(documents), "");
}

// The bounded run of the fuzz target: it aborts when a voice does not fill its measure, or a key is not let go.
TEST(NotationFuzz, DamagedPiecesAreRefusedOrWrittenDown) {
  std::vector<std::string> seeds = odd_files();
  seeds.resize(9);
  for (int i = 0; i < 9; ++i) seeds.push_back(piano_piece());
  testing::Damage damage(1, {std::string("\x83\x60", 2), std::string("\x8f\xff\x7f", 3), tempo(1), tempo(0xffffff),
                             std::string("\x00\xff\x58\x04\x3f\x06\x18\x08", 8), std::string("\x00\xff\x58\x04\x01\x05\x18\x08", 8),
                             std::string("\x00\xff\x59\x02\xf9\x01", 6), std::string("\x00\xff\x03\x02\xff\xfe", 6),
                             std::string("\x00\xb0\x40\x7f", 4), std::string("\x00\x90\x7f\x01", 4)});
  std::vector<std::string> documents;
  constexpr int kRounds = 3000;
  for (int round = 0; round < kRounds; ++round) {
    std::string document = written_down(damage(seeds[damage.below(seeds.size())]));
    if (round % 10 == 0 && !document.empty()) documents.push_back(std::move(document));
  }
  EXPECT_GT(documents.size(), 50U);
  if (!has_xmllint()) GTEST_SKIP() << "xmllint is not here; script/setup --test installs it";
  EXPECT_EQ(complaints_about(documents), "");
}

}  // namespace
}  // namespace etude::render
