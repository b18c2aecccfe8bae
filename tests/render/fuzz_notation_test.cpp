#include "tests/render/fuzz_notation.h"

#include <fstream>

#include <gtest/gtest.h>

#include "tests/data/midi/damaged_piece.h"
#include "tests/render/support.h"
#include "tests/support/oracle.h"

namespace etude::render {
namespace {

using data::midi::bytes;
using data::midi::header;
using data::midi::track;

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

std::string tempo(int microseconds) {
  return bytes({0, 0xff, 0x51, 3, microseconds >> 16, microseconds >> 8 & 0xff, microseconds & 0xff});
}

std::string midi_file(int division, const std::string& events) { return header(0, 1, division) + track(events); }

/// Pieces as no pianist plays them, but programs write them.
std::vector<std::string> odd_files() {
  std::string crowd;
  for (int i = 0; i < 3000; ++i) crowd += bytes({0, 0x90, i % 128, 64});
  for (int i = 0; i < 3000; ++i) crowd += bytes({i % 2, 0x80, i % 128, 0});
  const std::string never_let_go = bytes({0, 0x90, 64, 64, 96, 0x90, 66, 64});
  const std::string no_length = bytes({0, 0x90, 64, 64, 0, 0x80, 64, 0, 16, 0x90, 66, 64, 0, 0x80, 66, 0});
  const std::string note = bytes({0, 0x90, 64, 64, 0x81, 0, 0x80, 64, 0});
  std::vector<std::string> files;
  for (const int division : {1, 2, 96, 480, 32767, 0xe728, 0xe250, 0xe301}) {  // the last ones are SMPTE's
    files.push_back(midi_file(division, note));
    files.push_back(midi_file(division, no_length + tempo(1) + note + tempo(0xffffff) + note));
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
  const std::string seed = piano_piece();
  testing::Damage damage(1, {bytes({0x83, 0x60}), bytes({0x8f, 0xff, 0x7f}), tempo(1), tempo(0xffffff),
                             bytes({0, 0xff, 0x58, 4, 63, 6, 24, 8}), bytes({0, 0xff, 0x58, 4, 1, 5, 24, 8}),
                             bytes({0, 0xff, 0x58, 4, 255, 0, 24, 8}), bytes({0, 0xff, 0x59, 2, 0xf9, 1}),
                             bytes({0, 0xff, 3, 2, 0xff, 0xfe}), bytes({0, 0xff, 1, 3, 0xef, 0xbf, 0xbf}),
                             bytes({0, 0xb0, 64, 127}), bytes({0, 0x90, 127, 1})});
  std::vector<std::string> documents;
  constexpr int kRounds = 3000;
  for (int round = 0; round < kRounds; ++round) {
    std::string document = written_down(data::midi::damaged_piece(seed, damage));
    if (round % 5 == 0 && !document.empty()) documents.push_back(std::move(document));
  }
  EXPECT_GT(documents.size(), 100U);
  if (!has_xmllint()) GTEST_SKIP() << "xmllint is not here; script/setup --test installs it";
  EXPECT_EQ(complaints_about(documents), "");
}

}  // namespace
}  // namespace etude::render
