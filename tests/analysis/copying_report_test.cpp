#include "analysis/copying_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "data/midi/midi.h"
#include "tests/analysis/tunes.h"
#include "tests/data/pack/music.h"
#include "tests/support/oracle.h"

namespace etude::analysis {
namespace {

using ::testing::HasSubstr;
using testing::nonsense;

NextScore one_by_one(std::vector<NamedScore> pieces) {
  return [pieces = std::move(pieces), next = std::size_t{0}]() mutable -> std::optional<NamedScore> {
    if (next == pieces.size()) return std::nullopt;
    return pieces[next++];
  };
}

std::vector<NamedScore> pieces(std::uint64_t first, std::uint64_t last) {
  std::vector<NamedScore> all;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    all.push_back({"piece-" + std::to_string(seed) + ".mid", nonsense(seed, 100)});
  }
  return all;
}

TEST(CopyingReport, NamesTheCopyAndNothingElse) {
  std::vector<NamedScore> generated = pieces(200, 204);
  NamedScore copy{"sample-3.mid", nonsense(8, 100)};
  for (data::Note& note : copy.score.tracks[0].notes) note.pitch += 3;
  generated.push_back(copy);
  const CopyingReport report = find_copies(generated, one_by_one(pieces(100, 120)), one_by_one(pieces(1, 30)));
  for (const ComparedPiece& piece : report.generated) EXPECT_EQ(piece.copied, piece.name == "sample-3.mid");
  const nlohmann::json json = to_json(report);
  ASSERT_EQ(json["copies"].size(), 1);
  EXPECT_EQ(json["copies"][0]["file"], "sample-3.mid");
  EXPECT_EQ(json["copies"][0]["source"], "piece-8.mid");
  EXPECT_EQ(json["copies"][0]["semitones"], 3);
  EXPECT_EQ(json["copies"][0]["notes"], report.generated.back().shared.notes);
  EXPECT_THAT(json["copies"][0]["sentence"].get<std::string>(),
              ::testing::AllOf(HasSubstr("sample-3.mid, bars 1 to "), HasSubstr(" of piece-8.mid, bars 1 to "),
                               HasSubstr("3 semitones higher")));
  EXPECT_EQ(json["held_out"]["copied"], 0);
  EXPECT_EQ(json["generated"]["copied"], 1);
  EXPECT_THAT(in_words(report), HasSubstr("1 of 6 pieces is copied from the training set"));
}

TEST(CopyingReport, HeldOutVersionsOfTrainingPiecesDoNotExcuseCopies) {
  std::vector<NamedScore> held_out = pieces(100, 116), generated = pieces(3, 3);
  for (int i = 4; i <= 6; ++i) held_out.push_back({"version", nonsense(static_cast<std::uint64_t>(i), 100)});
  const CopyingReport report = find_copies(generated, one_by_one(held_out), one_by_one(pieces(1, 30)));
  EXPECT_TRUE(report.generated[0].copied);
  EXPECT_EQ(to_json(report)["held_out"]["copied"], 3);
  EXPECT_THAT(in_words(report), HasSubstr("3 of the 20 held-out pieces"));
}

// Quartiles 12 and 16 by hand: 16 (16/12)^1.5 = 24.63.
TEST(CopyingReport, TheThresholdIsTheUpperFenceOfHeldOutPieces) {
  const auto piece = pieces(1, 1);
  const auto beginning = [&](std::size_t notes) {
    NamedScore part = piece[0];
    part.score.tracks[0].notes.resize(notes);
    return part;
  };
  std::vector<NamedScore> held_out;
  for (const std::size_t notes : {10, 11, 12, 13, 14, 15, 16, 17, 90}) held_out.push_back(beginning(notes));
  const CopyingReport report = find_copies({}, one_by_one(held_out), one_by_one(piece));
  EXPECT_NEAR(report.threshold, 24.63, 0.01);
  EXPECT_THAT(in_words(report), HasSubstr("a run of more than 24 notes"));  // 25 are one
  EXPECT_EQ(to_json(report)["held_out"]["median"], 14);
  EXPECT_EQ(to_json(report)["held_out"]["max"], 90);
}

TEST(CopyingReport, WithoutHeldOutPiecesAFixedNumberDecides) {
  const CopyingReport report = find_copies(pieces(1, 1), one_by_one({}), one_by_one(pieces(1, 2)));
  EXPECT_EQ(report.threshold, kCopiedByItself);
  EXPECT_TRUE(report.generated[0].copied);
  EXPECT_TRUE(to_json(report)["held_out"].is_null());
}

/// A pack of real piano music, with transposed copies.
class RealCopying : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto music = testing::real_music();
    if (!music) GTEST_SKIP() << "no real music beside the project (../shared/data)";
    data::PackRequest request = testing::request(*music / "piano" / "schumann", folder_.path() / "pack");
    request.inputs.push_back(*music / "piano" / "mozart");
    request.transpose = {-1, 1};
    data::build_pack(request);
    piano_ = *music / "piano";
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path piano_;
};

TEST_F(RealCopying, APieceTakenFromItsFileIsFoundAmongThePacksTokens) {
  const data::Pack pack = data::Pack::open(folder_.path() / "pack");
  const auto& training = pack.pieces(data::Split::kTrain);
  const auto file = std::ranges::find_if(training, [](const data::Piece& piece) {
    return piece.transposed == 0 && piece.file.find("scn15_1") != std::string::npos;
  });
  if (file == training.end()) GTEST_SKIP() << "the piece fell into another split";
  std::filesystem::path found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(piano_)) {
    if (entry.path().filename() == std::filesystem::path(file->file).filename()) found = entry.path();
  }
  data::Score copy = data::midi::read(found);
  for (data::Track& track : copy.tracks) {
    for (data::Note& note : track.notes) note.pitch += 4;
  }
  const CopyingReport report =
      find_copies(std::vector<NamedScore>{{"mine.mid", copy}}, scores_of(pack, data::Split::kValidation),
                  scores_of(pack, data::Split::kTrain));
  EXPECT_EQ(report.training_pieces, std::ranges::count(training, 0, &data::Piece::transposed));
  const ComparedPiece& piece = report.generated[0];
  EXPECT_TRUE(piece.copied);
  EXPECT_EQ(piece.shared.longest->source, file->file);
  EXPECT_EQ(piece.shared.longest->semitones, 4);
  EXPECT_EQ(piece.shared.longest->bar, piece.shared.longest->source_bar);
  EXPECT_GT(piece.shared.overlap.at(16), 0.9);
  EXPECT_LT(to_json(report)["held_out"]["overlap"]["16"], 0.05);
  RecordProperty("longest", in_words(piece));
}

}  // namespace
}  // namespace etude::analysis
