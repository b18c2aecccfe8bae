#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "analysis/music_measures.h"
#include "analysis/pitch_measures.h"
#include "data/abc/abc.h"
#include "data/midi/midi.h"
#include "framework/config/error.h"
#include "tests/analysis/oracle_music.h"
#include "tests/data/tokenizer/random_music.h"

namespace etude::analysis {
namespace {

using data::Note;
using data::Score;
using Figures = std::map<std::string, double>;

/// Prints the figures of each file of a list, MusPy's reader included. A bar is as long as the first time signature
/// says, which is all that MusPy can be told.
constexpr const char* kMusPy = R"(
import sys, warnings
warnings.simplefilter('ignore')
import muspy
for line in open(sys.argv[1]):
    music = muspy.read_midi(line.strip())
    meter = music.time_signatures[0] if music.time_signatures else None
    bar = music.resolution * 4 * meter.numerator // meter.denominator if meter else music.resolution * 4
    print('file', 0)
    for name in ('pitch_range', 'n_pitches_used', 'n_pitch_classes_used', 'scale_consistency', 'pitch_entropy',
                 'pitch_class_entropy'):
        print(name, repr(float(getattr(muspy, name)(music))))
    for name in ('polyphony', 'polyphony_rate', 'empty_beat_rate'):
        print(name, repr(float(getattr(muspy, name)(music))) if music.tracks else 'nan')
    for name in ('empty_measure_rate', 'groove_consistency'):
        print(name, repr(float(getattr(muspy, name)(music, bar))) if music.tracks else 'nan')
    for mode in ('major', 'minor'):
        for root in range(12):
            print(f'{mode}_{root}', repr(float(muspy.pitch_in_scale_rate(music, root, mode))))
)";

std::vector<Figures> of_muspy(const std::vector<std::filesystem::path>& files) {
  testing::TemporaryFolder folder;
  std::ofstream list(folder.path() / "list");
  for (const auto& file : files) list << file.string() << '\n';
  list.close();
  std::istringstream printed(
      testing::run_python(kMusPy, {(folder.path() / "list").string()}, *testing::music_oracle()));
  std::vector<Figures> figures;
  std::string name, value;
  while (printed >> name >> value) {
    if (name == "file")
      figures.emplace_back();
    else
      figures.back()[name] = std::stod(value);
  }
  return figures;
}

Figures of_us(const Score& score) {
  Figures figures;
  const std::vector<double> values = measure_music(score);
  for (std::size_t i = 0; i < values.size(); ++i) figures[music_measures()[i].name] = values[i];
  for (int root = 0; root < 12; ++root) {
    figures["major_" + std::to_string(root)] = pitch_in_scale_rate(score, {root, false});
    figures["minor_" + std::to_string(root)] = pitch_in_scale_rate(score, {root, true});
  }
  return figures;
}

bool one_meter(const Score& score) {
  const auto& signatures = score.time_signatures;
  return signatures.empty() ||
         (signatures.front().time == 0 && std::all_of(signatures.begin(), signatures.end(), [&](const auto& signature) {
            return signature.numerator == signatures.front().numerator &&
                   signature.denominator == signatures.front().denominator;
          }));
}

bool drums_only(const Score& score) {
  return !score.tracks.empty() &&
         std::all_of(score.tracks.begin(), score.tracks.end(), [](const auto& track) { return track.drums; });
}

/// How many files could be compared by all figures, those that follow the bars included.
int expect_equal(const std::vector<std::filesystem::path>& files) {
  const std::vector<Figures> theirs = of_muspy(files);
  EXPECT_EQ(theirs.size(), files.size());
  int in_one_meter = 0;
  for (std::size_t i = 0; i < std::min(files.size(), theirs.size()); ++i) {
    const Score score = data::midi::read(files[i]);
    const Figures ours = of_us(score);
    if (one_meter(score)) ++in_one_meter;
    for (const auto& [name, value] : theirs[i]) {
      if ((name == "groove_consistency" || name == "empty_measure_rate") && !one_meter(score)) continue;
      const double expected = name == "pitch_range" && drums_only(score) ? 0 : value;  // there MusPy has -127
      if (std::isnan(expected)) {
        EXPECT_TRUE(std::isnan(ours.at(name))) << name << " of " << files[i] << " is " << ours.at(name);
      } else {
        EXPECT_NEAR(ours.at(name), expected, 1e-9) << name << " of " << files[i];
      }
    }
  }
  return in_one_meter;
}

/// MIDI files of scores, removed with the object.
class Files {
 public:
  void add(const Score& score) {
    paths_.push_back(folder_.path() / (std::to_string(paths_.size()) + ".mid"));
    std::ofstream(paths_.back(), std::ios::binary) << data::midi::serialize(score);
  }
  const std::vector<std::filesystem::path>& paths() const { return paths_; }

 private:
  testing::TemporaryFolder folder_;
  std::vector<std::filesystem::path> paths_;
};

Score piece(std::vector<Note> notes, bool drums = false) {
  Score score;
  score.tracks.push_back({"", 0, drums, std::move(notes), {}});
  return score;
}

/// What rarely occurs and often breaks: nothing, one note, drums alone, an end on a bar line, a pedal held over the
/// last note, one pitch in two tracks at once, a bar of silence, bars that are no whole number of quarters.
std::vector<Score> odd_pieces() {
  std::vector<Score> pieces{Score{}, piece({{0, 480, 60, 90}}), piece({{0, 480, 40, 90}, {960, 240, 38, 90}}, true)};
  pieces.push_back(piece({{0, 1920, 60, 90}}));
  pieces.push_back(piece({{0, 1919, 60, 90}, {0, 960, 64, 90}, {0, 480, 67, 90}}));
  pieces.push_back(piece({{0, 480, 60, 90}, {5760, 480, 60, 90}, {5760, 480, 64, 90}}));
  pieces.push_back(piece({{0, 480, 60, 90}, {480, 480, 62, 90}}));
  pieces.back().tracks[0].pedals.push_back({100, 4000});
  pieces.push_back(piece({{0, 960, 60, 90}, {480, 480, 67, 90}, {480, 480, 72, 90}}));
  pieces.back().tracks.push_back({"", 40, false, {{240, 960, 60, 90}}, {}});
  pieces.push_back(piece({{0, 360, 60, 90}, {720, 240, 62, 90}, {2520, 240, 62, 90}}));
  pieces.back().time_signatures.push_back({0, 7, 8});
  pieces.push_back(piece({{0, 360, 60, 90}, {720, 240, 62, 90}, {1440, 240, 62, 90}}));
  pieces.back().time_signatures = {{0, 3, 4}, {700, 3, 4}};
  return pieces;
}

TEST(MusPy, HasTheSameFiguresForOddMadeUpAndBuiltInPieces) {
  if (!testing::music_oracle()) GTEST_SKIP() << "script/setup --test installs MusPy";
  Files files;
  for (const Score& score : odd_pieces()) files.add(score);
  testing::Dice dice(20);
  for (int i = 0; i < 40; ++i) files.add(testing::random_score(dice));
  for (const char* book : {"bach", "chopin", "folk-ireland", "mozart"}) {
    const auto tunes = data::abc::read(ETUDE_SOURCE_DIR "/data/corpus/" + std::string(book) + ".abc").tunes;
    for (std::size_t i = 0; i < std::min<std::size_t>(tunes.size(), 2); ++i) files.add(tunes[i].score);
  }
  EXPECT_GT(expect_equal(files.paths()), 20);
}

TEST(MusPy, HasTheSameFiguresForRealFiles) {
  if (!testing::music_oracle()) GTEST_SKIP() << "script/setup --test installs MusPy";
  if (!testing::real_music()) GTEST_SKIP() << "no real music (a folder shared/ beside the project, or $ETUDE_SHARED)";
  std::vector<std::filesystem::path> files;
  for (const auto& file : std::filesystem::recursive_directory_iterator(*testing::real_music())) {
    if (file.path().extension() == ".mid") files.push_back(file.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<std::filesystem::path> some;
  const std::size_t step = std::max<std::size_t>(1, files.size() / 6);
  for (std::size_t i = step / 2; i < files.size(); i += step) some.push_back(files[i]);
  if (some.empty()) GTEST_SKIP() << "no MIDI files in " << *testing::real_music();
  EXPECT_GT(expect_equal(some), 0);
}

}  // namespace
}  // namespace etude::analysis
