#include "analysis/music_measures.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "analysis/bars.h"
#include "analysis/pitch_measures.h"
#include "analysis/time_measures.h"
#include "data/abc/abc.h"
#include "tests/analysis/oracle_music.h"
#include "tests/analysis/pieces.h"

namespace etude::analysis {
namespace {

using testing::melody;
using testing::piece_of;

TEST(MusicMeasures, AreNamedAndExplained) {
  std::set<std::string> names;
  for (const MusicMeasure& measure : music_measures()) {
    names.insert(measure.name);
    EXPECT_FALSE(measure.words.empty() || measure.unit.empty() || measure.source.empty()) << measure.name;
  }
  EXPECT_EQ(names.size(), music_measures().size());
}

TEST(MusicMeasures, AreDocumented) {
  const std::string page = testing::slurp(ETUDE_SOURCE_DIR "/docs/measurements.md");
  for (const MusicMeasure& measure : music_measures()) {
    EXPECT_NE(page.find("`" + measure.name + "`"), std::string::npos) << measure.name;
  }
}

TEST(MusicMeasures, TakeAnyScore) {
  constexpr std::int64_t kFar = std::int64_t{1} << 45;
  data::Score drums = piece_of({{0, 480, 36, 64}}), odd = melody({60, 62});
  drums.tracks[0].drums = true;
  odd.time_signatures = {{0, 0, 4}, {100, 3, 7}, {200, 255, 256}, {kFar, 1, 256}};
  odd.ticks_per_quarter = 1;
  std::vector<data::Score> scores{data::Score{}, piece_of({}), piece_of({{0, 0, 60, 64}}), drums, odd};
  scores.push_back(piece_of({{kFar, kFar, 0, 64}, {0, 1, 127, 64}}));
  for (const data::Score& score : scores) {
    for (const double value : measure_music(score)) EXPECT_FALSE(std::isinf(value));
  }
}

TEST(MusicMeasures, OfTheRhythmFollowTheTimeSignatures) {
  // A bar of 4/4, one of 3/4, one of 4/4; onsets on the first two quarters, on the first, on the first two. Each time a
  // quarter is missing in one of two neighbours, of which the longer has 1920 ticks.
  data::Score score =
      piece_of({{0, 480, 60, 64}, {480, 480, 60, 64}, {1920, 480, 60, 64}, {3360, 480, 60, 64}, {3840, 480, 60, 64}});
  score.time_signatures = {{0, 4, 4}, {1920, 3, 4}, {3360, 4, 4}};
  EXPECT_DOUBLE_EQ(groove_consistency(score), 1 - 1.0 / 1920);
  EXPECT_DOUBLE_EQ(groove_similarity(score), 1 - 1.0 / 64);
  // Bars begin at 0, 1920, 3360 and 4800; the middle ones are empty.
  data::Score gap = piece_of({{0, 480, 60, 64}, {4800, 480, 60, 64}});
  gap.time_signatures = {{0, 4, 4}, {1920, 3, 4}};
  EXPECT_DOUBLE_EQ(empty_measure_rate(gap), 0.5);
}

TEST(MusicMeasures, OfGrooveDoNotDependOnTheFilesTicksUnlessTheySaySo) {
  data::Score coarse = melody({60, 62, 64, 65, 67, 69}, 360), fine = melody({60, 62, 64, 65, 67, 69}, 720);
  fine.ticks_per_quarter = 960;
  EXPECT_DOUBLE_EQ(groove_similarity(coarse), groove_similarity(fine));
  EXPECT_LT(groove_consistency(coarse), groove_consistency(fine));
}

TEST(MusicMeasures, CountNotesByTheClock) {
  // Two quarters at 120 a minute, two at 60: a second and two.
  data::Score score = melody({60, 60, 60, 60}, 480);
  score.tempos = {{0, 120}, {960, 60}};
  EXPECT_DOUBLE_EQ(notes_per_second(score), 4.0 / 3);
  EXPECT_DOUBLE_EQ(notes_per_quarter(score), 1);
  // Silence before the first note is no part of it.
  for (data::Note& note : score.tracks[0].notes) note.start += 960;
  EXPECT_DOUBLE_EQ(notes_per_second(score), 1);
}

TEST(MusicMeasures, CountAChordAsOneOnset) {
  const data::Score score =
      piece_of({{0, 240, 60, 64}, {0, 960, 64, 64}, {240, 240, 67, 64}, {1200, 480, 60, 64}, {1680, 480, 60, 64}});
  EXPECT_EQ(inter_onset_intervals(score), (std::vector<double>{0.5, 2, 1}));
  EXPECT_DOUBLE_EQ(mean_of(inter_onset_intervals(score)), 3.5 / 3);
  EXPECT_DOUBLE_EQ(median_of(inter_onset_intervals(score)), 1);
  EXPECT_DOUBLE_EQ(median_of(note_durations(score)), 1);
  EXPECT_DOUBLE_EQ(median_of({4, 1, 3, 2}), 2.5);
}

TEST(Bars, AreCutShortWhereTheTimeSignatureChanges) {
  data::Score score;
  score.time_signatures = {{0, 4, 4}, {1000, 4, 4}, {2400, 3, 8}};
  const Bars bars(score);
  EXPECT_EQ(bars.place_of(1919).bar, 0);
  EXPECT_EQ(bars.place_of(2399).bar, 1);
  EXPECT_EQ(bars.place_of(2400), (Bars::Place{2, 0}));
  EXPECT_EQ(bars.length_of(1), 480 * Bars::kParts);
  EXPECT_EQ(bars.length_of(2), 720 * Bars::kParts);
  EXPECT_EQ(bars.begin_of(3), 3120);
}

std::string as_python(const data::Score& score) {
  std::ostringstream text;
  text << '[';
  for (const data::Track& track : score.tracks) {
    for (const data::Note& note : track.notes) {
      text << '(' << note.pitch << ',' << static_cast<double>(note.duration) / score.ticks_per_quarter << "),";
    }
  }
  text << ']';
  return text.str();
}

TEST(Key, IsTheOneThatMusic21Finds) {
  if (!testing::music_oracle()) GTEST_SKIP() << "script/setup --test installs music21";
  std::vector<data::Score> scores;
  for (const char* book : {"bach", "beethoven", "folk-france", "satie"}) {
    const auto tunes = data::abc::read(ETUDE_SOURCE_DIR "/data/corpus/" + std::string(book) + ".abc").tunes;
    for (std::size_t i = 0; i < std::min<std::size_t>(tunes.size(), 4); ++i) scores.push_back(tunes[i].score);
  }
  std::string script = "from music21 import analysis, note, stream\npieces = [";
  for (const data::Score& score : scores) script += as_python(score) + ",";
  script += R"(]
for piece in pieces:
    line = stream.Stream()
    for pitch, quarters in piece:
        line.append(note.Note(pitch, quarterLength=quarters))
    key = analysis.discrete.KrumhanslKessler(line).getSolution(line)
    print(key.tonic.pitchClass, key.mode)
)";
  std::istringstream printed(testing::run_python(script, {}, *testing::music_oracle()));
  for (std::size_t i = 0; i < scores.size(); ++i) {
    int root = -1;
    std::string mode;
    ASSERT_TRUE(printed >> root >> mode);
    EXPECT_EQ(best_key(scores[i]), (Key{root, mode == "minor"})) << "piece " << i;
  }
}

TEST(Key, IsNoneWhereAllTwelveSoundAlike) {
  EXPECT_FALSE(best_key(melody({60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71})));
  EXPECT_FALSE(best_key(melody({})));
}

}  // namespace
}  // namespace etude::analysis
