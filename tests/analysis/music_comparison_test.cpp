#include "analysis/music_comparison.h"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "analysis/histograms.h"
#include "analysis/music_measures.h"
#include "tests/analysis/pieces.h"

namespace etude::analysis {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::melody;
using testing::piece_of;

double count(const std::string& kind, const std::string& bin, const data::Score& score) {
  for (std::size_t i = 0; i < histogram_kinds().size(); ++i) {
    const HistogramKind& candidate = histogram_kinds()[i];
    for (std::size_t j = 0; candidate.name == kind && j < candidate.bins.size(); ++j) {
      if (candidate.bins[j] == bin) return histograms(score)[i][j];
    }
  }
  ADD_FAILURE() << "no class " << bin << " of " << kind;
  return 0;
}

TEST(Histograms, SortTimesIntoNoteValues) {
  const data::Score score =
      piece_of({{0, 470, 60, 64}, {480, 165, 72, 64}, {640, 150, 61, 64}, {800, 1400, 60, 64}, {2720, 9000, 60, 64}});
  EXPECT_EQ(count("duration", "quarter", score), 1);
  EXPECT_EQ(count("duration", "eighth triplet", score), 2);
  EXPECT_EQ(count("duration", "dotted half", score), 1);
  EXPECT_EQ(count("duration", "two wholes or longer", score), 1);
  EXPECT_EQ(count("inter_onset", "eighth triplet", score), 2);
  EXPECT_EQ(count("inter_onset", "whole", score), 1);
  EXPECT_EQ(count("pitch", "C4", score), 3);
  EXPECT_EQ(count("pitch", "C5", score), 1);
  EXPECT_EQ(count("pitch_class", "C", score), 4);
  EXPECT_EQ(count("pitch_class", "C#", score), 1);
}

TEST(Histograms, OfASetCountEachPieceTheSame) {
  EXPECT_THAT(mean_shares({{1, 0}, {2, 6}, {0, 0}}), ElementsAre(0.625, 0.375));
  EXPECT_TRUE(std::isnan(mean_shares({{0, 0}})[0]));
}

std::vector<PieceFigures> set_of(int pieces, int transposed) {
  std::vector<PieceFigures> set;
  for (int i = 0; i < pieces; ++i) {
    std::vector<int> pitches;
    for (int note = 0; note < 40; ++note) pitches.push_back(55 + transposed + note * (i + 3) % 13);
    set.push_back(measure_piece("piece-" + std::to_string(i) + ".mid", melody(pitches)));
  }
  return set;
}

json measure_of(const json& music, const std::string& name) {
  for (const json& measure : music.at("measures")) {
    if (measure.at("name") == name) return measure;
  }
  throw std::runtime_error("no measure " + name);
}

TEST(MusicComparison, OfLikeSetsFindsNothingBetweenThem) {
  const auto set = set_of(5, 0);
  const json music = compare_music(set, set);
  for (const json& measure : music.at("measures")) {
    if (measure.at("distance").is_null()) continue;
    EXPECT_EQ(measure.at("distance"), 0) << measure;
    EXPECT_NEAR(measure.at("overlap").get<double>(), 1, 1e-6) << measure;
  }
  for (const json& histogram : music.at("histograms")) EXPECT_EQ(histogram.at("distance"), 0) << histogram;
  EXPECT_EQ(music.at("structure").at("error"), 0);
}

TEST(MusicComparison, SeesWhereSetsDiffer) {
  const json music = compare_music(set_of(5, 24), set_of(5, 0));
  EXPECT_EQ(measure_of(music, "pitch_range").at("distance"), 0);
  EXPECT_EQ(music.at("histograms").at(0).at("name"), "pitch");
  EXPECT_NEAR(music.at("histograms").at(0).at("distance").get<double>(), 1, 1e-12);
  EXPECT_NEAR(music.at("histograms").at(1).at("distance").get<double>(), 0, 1e-6);  // the same pitch classes
}

TEST(MusicComparison, GivesEachPieceWithItsFigures) {
  const std::vector<PieceFigures> generated{measure_piece("a.mid", melody(std::vector<int>(16, 60), 480))};
  const json piece = compare_music(generated, set_of(3, 0)).at("pieces").at(0);
  EXPECT_EQ(piece.at("file"), "a.mid");
  EXPECT_EQ(piece.at("seconds"), 8);
  EXPECT_EQ(piece.at("notes"), 16);
  EXPECT_EQ(piece.at("bars"), 4);
  EXPECT_EQ(piece.at("measures").size(), music_measures().size());
  EXPECT_EQ(piece.at("measures").at("n_pitches_used"), 1);
  EXPECT_EQ(piece.at("repetition").at("8"), 0.5);
  EXPECT_EQ(piece.at("repetition_exact").at("8"), 0.5);
  EXPECT_TRUE(piece.at("repetition").at("16").is_null());
}

TEST(MusicComparison, TheEndOfACurveIsNotThatOfOneLongPiece) {
  // Four pieces of 4 bars and one of 16: bars 3 apart are in all of them, bars 4 apart in one of five.
  std::vector<PieceFigures> set{measure_piece("long.mid", melody(std::vector<int>(64, 60), 480))};
  for (int i = 0; i < 4; ++i) set.push_back(measure_piece("short.mid", melody(std::vector<int>(16, 60), 480)));
  const json structure = compare_music(set, set).at("structure");
  EXPECT_EQ(structure.at("generated").at(2), 1);
  EXPECT_TRUE(structure.at("generated").at(3).is_null());
  set.pop_back();  // now it is one of four
  EXPECT_EQ(compare_music(set, set).at("structure").at("generated").at(3), 1);
}

TEST(MusicComparison, TakesEmptySetsAndPieces) {
  const std::vector<PieceFigures> silent{measure_piece("silent.mid", data::Score{})};
  const auto some = set_of(2, 0);
  for (const json& music : {compare_music({}, some), compare_music(some, {}), compare_music(silent, some)}) {
    // What is undefined is null in memory and on paper alike.
    EXPECT_EQ(music, json::parse(music.dump()));
    EXPECT_TRUE(measure_of(music, "polyphony").at("overlap").is_null());
    EXPECT_FALSE(describe_music(music).empty());
  }
}

TEST(MusicComparison, IsATableForAPerson) {
  const std::string table = describe_music(compare_music(set_of(5, 0), set_of(5, 0)));
  for (const MusicMeasure& measure : music_measures()) EXPECT_THAT(table, HasSubstr(measure.name));
  EXPECT_THAT(table,
              HasSubstr("pitch_range                      12 ± 0           12 ± 0     1.00         0  semitones"));
}

}  // namespace
}  // namespace etude::analysis
