#include "tests/support/oracle.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "data/midi/midi.h"

namespace etude::data::midi {
namespace {

namespace fs = std::filesystem;

// Two rules of symusic 0.6 are not ours and stay out of the comparison: it lists tracks that never sound a note, and on
// channels other than the first it lets a track's first pedal begin at 0 (so of a first pedal only the end is
// compared). Names are compared where they are ASCII; symusic cuts other bytes out.
constexpr const char* kDump = R"(
import sys, symusic
for file in open(sys.argv[1]).read().splitlines():
    score = symusic.Score(file)
    print("file", file, score.tpq)
    for t in score.tempos: print("tempo", t.time, t.mspq)
    for t in score.time_signatures: print("metre", t.time, t.numerator, t.denominator)
    for k in score.key_signatures: print("key", k.time, k.key, k.tonality)
    for track in score.tracks:
        if not track.notes: continue
        print("track", track.name if track.name.isascii() else "?", track.program, int(track.is_drum))
        notes = track.notes.numpy()
        columns = [notes[name].tolist() for name in ("time", "duration", "pitch", "velocity")]
        print("\n".join(map("{} {} {} {}".format, *columns)))
        for i, p in enumerate(track.pedals): print("pedal", p.time if i else "-", p.time + p.duration)
)";

bool is_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string dump(const Score& score, const std::string& file) {
  std::string out = fmt::format("file {} {}\n", file, score.ticks_per_quarter);
  for (const Tempo& tempo : score.tempos) {
    out += fmt::format("tempo {} {}\n", tempo.time, std::llround(60e6 / tempo.quarters_per_minute));
  }
  for (const TimeSignature& t : score.time_signatures)
    out += fmt::format("metre {} {} {}\n", t.time, t.numerator, t.denominator);
  for (const KeySignature& k : score.key_signatures)
    out += fmt::format("key {} {} {}\n", k.time, k.sharps, k.minor ? 1 : 0);
  for (const Track& track : score.tracks) {
    out += fmt::format("track {} {} {}\n", is_ascii(track.name) ? track.name : "?", track.program, track.drums ? 1 : 0);
    for (const Note& n : track.notes) out += fmt::format("{} {} {} {}\n", n.start, n.duration, n.pitch, n.velocity);
    for (std::size_t i = 0; i < track.pedals.size(); ++i) {
      const Pedal& pedal = track.pedals[i];
      out += fmt::format("pedal {} {}\n", i > 0 ? std::to_string(pedal.start) : "-", pedal.start + pedal.duration);
    }
  }
  return out;
}

std::vector<fs::path> midi_files(const fs::path& root) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string extension = entry.path().extension();
    if (extension == ".mid" || extension == ".MID") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// What symusic reads, cut up by file.
std::vector<std::string> dumps_of_symusic(const std::vector<fs::path>& files, const fs::path& list) {
  std::ofstream stream(list);
  for (const fs::path& file : files) stream << file.string() << '\n';
  stream.close();
  const std::string all = testing::run_python(kDump, {list.string()});
  std::vector<std::string> dumps;
  std::istringstream lines(all);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("file ")) dumps.emplace_back();
    dumps.back() += line + '\n';
  }
  return dumps;
}

std::string first_difference(const std::string& ours, const std::string& theirs) {
  std::istringstream a(ours), b(theirs);
  std::string left, right;
  for (int line = 1; std::getline(a, left) && std::getline(b, right); ++line) {
    if (left != right) return fmt::format("line {}: ours '{}', symusic's '{}'", line, left, right);
  }
  return "one is longer";
}

class MidiOracle : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::oracle_python()) GTEST_SKIP() << "the Python with symusic is not installed (script/setup --test)";
  }
  testing::TemporaryFolder folder_;
};

TEST_F(MidiOracle, ReadsEveryFileAsSymusicDoes) {
  if (!testing::real_music()) GTEST_SKIP() << "no real music beside the project ($ETUDE_SHARED)";
  const fs::path music = *testing::real_music();
  int files_with_pedals = 0;
  for (const char* collection : {"piano", "emopia", "melody"}) {
    const std::vector<fs::path> files = midi_files(music / collection);
    const std::vector<std::string> theirs = dumps_of_symusic(files, folder_.path() / "list");
    ASSERT_EQ(theirs.size(), files.size());
    ASSERT_GT(files.size(), 100u);
    for (std::size_t i = 0; i < files.size(); ++i) {
      const std::string ours = dump(read(files[i]), files[i].string());
      EXPECT_TRUE(ours == theirs[i]) << files[i] << ' ' << first_difference(ours, theirs[i]);
      if (ours.find("pedal") != std::string::npos) ++files_with_pedals;
    }
  }
  EXPECT_GT(files_with_pedals, 100);
}

Score dense_piece() {
  Score score;
  score.ticks_per_quarter = 384;
  score.title = "Toccata";
  score.tempos = {{0, 97.5}, {5000, 41.25}};
  score.time_signatures = {{0, 5, 8}, {1920, 4, 4}};
  score.key_signatures = {{0, 3, true}, {960, -7, false}};
  for (int part = 0; part < 18; ++part) {  // more than there are channels
    Track track{fmt::format("part {}", part), part * 7, part == 4, {}, {{10, 90}, {100, 150}, {300, 20}}};
    for (int i = 0; i < 50; ++i)
      track.notes.push_back({i / 3 * 96, 96 + 200 * (i % 3), 30 + part + i % 3 * 4 + i / 3, 1 + 2 * i});
    score.tracks.push_back(std::move(track));
  }
  return score;
}

TEST_F(MidiOracle, SymusicReadsWhatIsWritten) {
  std::vector<Score> scores{dense_piece()};
  if (testing::real_music()) {
    for (const fs::path& file : midi_files(*testing::real_music() / "piano" / "chopin")) scores.push_back(read(file));
  }
  std::vector<fs::path> files;
  for (const Score& score : scores) {
    files.push_back(folder_.path() / fmt::format("{}.mid", files.size()));
    std::ofstream(files.back(), std::ios::binary) << serialize(score);
  }
  const std::vector<std::string> theirs = dumps_of_symusic(files, folder_.path() / "list");
  ASSERT_EQ(theirs.size(), files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    EXPECT_TRUE(dump(scores[i], files[i].string()) == theirs[i])
        << i << ' ' << first_difference(dump(scores[i], files[i].string()), theirs[i]);
    EXPECT_EQ(dump(read(files[i]), files[i].string()), dump(scores[i], files[i].string()));
  }
}

}  // namespace
}  // namespace etude::data::midi
