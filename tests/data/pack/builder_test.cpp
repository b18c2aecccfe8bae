#include "data/pack/builder.h"

#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/augment/transpose.h"
#include "tests/data/pack/music.h"
#include "tests/support/oracle.h"

namespace etude::data {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::ThrowsMessage;
namespace fs = std::filesystem;

class Builder : public ::testing::Test {
 protected:
  fs::path music() const { return folder_.path() / "music"; }
  fs::path output(const std::string& name = "pack") const { return folder_.path() / name; }
  PackRequest request(const std::string& name = "pack") const { return testing::request(music(), output(name)); }
  void add_melodies(int count) const {
    for (int i = 0; i < count; ++i) {
      testing::write_midi(music() / (i % 2 == 0 ? "chopin" : "liszt") / ("m" + std::to_string(i) + ".mid"),
                          testing::melody(static_cast<unsigned>(i)));
    }
  }
  static std::map<std::string, Split> split_by_file(const Pack& pack) {
    std::map<std::string, Split> splits;
    for (const Split split : kSplits) {
      for (const Piece& piece : pack.pieces(split)) splits.emplace(piece.file, split);
    }
    return splits;
  }
  std::map<std::string, std::string> files_of(const fs::path& folder) const {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(folder)) {
      files[entry.path().filename().string()] = testing::slurp(entry.path());
    }
    return files;
  }
  /// What is in the folder of this test beside the music.
  std::vector<std::string> left_behind() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      if (entry.path() != music()) names.push_back(entry.path().filename().string());
    }
    return names;
  }
  testing::TemporaryFolder folder_;
};

TEST_F(Builder, PacksEveryKindOfFileInEveryFolder) {
  testing::write_midi(music() / "a.mid", testing::melody(1));
  testing::write_midi(music() / "deep" / "er" / "B.MID", testing::melody(2));
  testing::write_midi(music() / "c.Midi", testing::melody(3));
  testing::write_file(
      music() / "book.abc",
      "X:1\nT:One\nC:Nobody\nL:1/4\nK:C\nCDEFGABcCDEFGABc|\n\nX:2\nT:Two\nL:1/4\nK:C\ncBAGFEDCcBAGFEDG|\n");
  testing::write_file(music() / "notes.txt", "not music");
  const PackReport report = build_pack(request());
  EXPECT_EQ(report.manifest.files, 4);
  EXPECT_THAT(report.manifest.skipped, IsEmpty());
  const Pack pack = Pack::open(output());
  pack.verify();
  std::map<std::string, Piece> pieces;
  for (const Split split : kSplits) {
    for (const Piece& piece : pack.pieces(split)) pieces[piece.file] = piece;
  }
  ASSERT_THAT(pieces, SizeIs(5));
  EXPECT_EQ(pieces.at("book.abc#1").title, "One");
  EXPECT_EQ(pieces.at("book.abc#1").composer, "Nobody");
  EXPECT_EQ(pieces.at("book.abc#2").composer, "");
  EXPECT_EQ(pieces.at("deep/er/B.MID").composer, "er");
  EXPECT_EQ(pieces.at("a.mid").composer, "") << "the input folder itself is nobody";
  EXPECT_EQ(pieces.at("a.mid").notes, 24);
  EXPECT_EQ(pieces.at("a.mid").seconds, 12.0) << "24 quarters at 120 a minute";
  // C4 to C5, written down in book.abc.
  EXPECT_EQ(pieces.at("book.abc#1").pitch_low, 60);
  EXPECT_EQ(pieces.at("book.abc#1").pitch_high, 72);
}

TEST_F(Builder, GivesTheSameBytesOnAnyNumberOfThreadsAndFromAnyPlace) {
  add_melodies(30);
  testing::write_file(music() / "bad.mid", "MThd");
  PackRequest one = request("one"), many = request("many"), elsewhere = request("elsewhere");
  one.threads = 1;
  many.threads = 7;
  fs::copy(music(), folder_.path() / "copy", fs::copy_options::recursive);
  elsewhere.inputs = {folder_.path() / "copy"};
  build_pack(one);
  build_pack(many);
  build_pack(elsewhere);
  EXPECT_EQ(files_of(output("one")), files_of(output("many")));
  EXPECT_EQ(files_of(output("one")), files_of(output("elsewhere")));
}

TEST_F(Builder, HoldsTheSameInBothFormats) {
  add_melodies(30);
  PackRequest torch = request("torch");
  torch.format = ShardFormat::kTorch;
  build_pack(request("hdf5"));
  build_pack(torch);
  const Pack a = Pack::open(output("hdf5")), b = Pack::open(output("torch"));
  EXPECT_EQ(a.hash(), b.hash());
  for (const Split split : kSplits) {
    ASSERT_EQ(a.pieces(split).size(), b.pieces(split).size());
    for (std::size_t i = 0; i < a.pieces(split).size(); ++i) {
      EXPECT_EQ(testing::tokens_of(a, split, i), testing::tokens_of(b, split, i));
    }
  }
}

TEST_F(Builder, KeepsPiecesInTheirSplitWhenOthersAreAdded) {
  add_melodies(40);
  build_pack(request("before"));
  const auto before = split_by_file(Pack::open(output("before")));
  add_melodies(80);
  build_pack(request("after"));
  const auto after = split_by_file(Pack::open(output("after")));
  EXPECT_THAT(after, SizeIs(80));
  for (const auto& [file, split] : before) EXPECT_EQ(after.at(file), split) << file;
}

TEST_F(Builder, PutsCopiesAndTranspositionsIntoOneSplit) {
  for (unsigned i = 0; i < 40; ++i) {
    const std::string name = "m" + std::to_string(i);
    Score score = testing::melody(i);
    testing::write_midi(music() / (name + "-a.mid"), score);
    testing::write_midi(music() / (name + "-b.mid"), testing::melody(i, 24, 5));
    score.title = "the same under another name";
    score.tempos = {{0, 90}};
    testing::write_midi(music() / (name + "-c.mid"), score);
  }
  build_pack(request());
  const auto splits = split_by_file(Pack::open(output()));
  ASSERT_THAT(splits, SizeIs(120));
  std::set<Split> seen;
  for (int i = 0; i < 40; ++i) {
    const std::string name = "m" + std::to_string(i);
    EXPECT_EQ(splits.at(name + "-a.mid"), splits.at(name + "-b.mid"));
    EXPECT_EQ(splits.at(name + "-a.mid"), splits.at(name + "-c.mid"));
    seen.insert(splits.at(name + "-a.mid"));
  }
  EXPECT_THAT(seen, SizeIs(3));
}

TEST_F(Builder, GivesEachSplitItsShare) {
  int validation = 0, test = 0;
  for (int i = 0; i < 10'000; ++i) {
    const Split split = split_of("piece " + std::to_string(i), 0.1, 0.2);
    validation += split == Split::kValidation ? 1 : 0;
    test += split == Split::kTest ? 1 : 0;
  }
  EXPECT_NEAR(validation, 1000, 100);  // more than three standard deviations
  EXPECT_NEAR(test, 2000, 130);
  EXPECT_EQ(split_of("any", 0, 0), Split::kTrain);
}

TEST_F(Builder, LeavesOutTheSameFileTheShortAndTheBroken) {
  testing::write_midi(music() / "a.mid", testing::melody(1));
  testing::write_midi(music() / "b.mid", testing::melody(1));
  testing::write_midi(music() / "c.mid", testing::melody(2, 15));
  testing::write_midi(music() / "d.mid", testing::melody(3, 16));
  const std::string whole = midi::serialize(testing::melody(4));
  testing::write_file(music() / "e.mid", whole.substr(0, whole.size() / 2));
  testing::write_file(music() / "f.mid", "PK, this is no MIDI file at all");
  testing::write_file(music() / "g.abc", "no tune here");
  const PackReport report = build_pack(request());
  EXPECT_THAT(split_by_file(Pack::open(output())), SizeIs(2));
  const auto& skipped = report.manifest.skipped;
  ASSERT_THAT(skipped, SizeIs(5));
  EXPECT_EQ(skipped[0], (Skipped{"b.mid", "the same as a.mid", SkipKind::kDuplicate}));
  EXPECT_EQ(skipped[1], (Skipped{"c.mid", "15 notes, fewer than 16", SkipKind::kShort}));
  for (const std::size_t i : {2, 3, 4}) EXPECT_EQ(skipped[i].kind, SkipKind::kUnreadable);
  EXPECT_EQ(skipped[2].file, "e.mid");
  EXPECT_THAT(skipped[2].reason, HasSubstr("byte"));
  EXPECT_THAT(skipped[2].reason, Not(HasSubstr("e.mid"))) << "its name stands beside the reason";
  EXPECT_EQ(skipped[4].file, "g.abc");
}

TEST_F(Builder, WritesTransposedCopiesOfTheTrainingPiecesThatFit) {
  add_melodies(30);
  testing::write_midi(music() / "chopin" / "high.mid", testing::melody(100, 24, 30));  // reaches up to 104 or so
  PackRequest asked = request();
  asked.transpose = {-2, 6};
  asked.transpose_where = {{"composer", "CHOPIN"}};
  build_pack(asked);
  const Pack pack = Pack::open(output());
  const Vocabulary& vocabulary = pack.vocabulary();
  for (const Split split : {Split::kValidation, Split::kTest}) {
    for (const Piece& piece : pack.pieces(split)) EXPECT_EQ(piece.transposed, 0);
  }
  std::map<std::string, std::set<int>> copies;
  std::map<std::string, std::size_t> originals;
  const auto& pieces = pack.pieces(Split::kTrain);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    copies[pieces[i].file].insert(pieces[i].transposed);
    if (pieces[i].transposed == 0) originals[pieces[i].file] = i;
  }
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const std::size_t original = originals.at(pieces[i].file);
    std::vector<TokenId> expected = testing::tokens_of(pack, Split::kTrain, original);
    for (TokenId& token : expected) token = vocabulary.transposed(token, pieces[i].transposed);
    EXPECT_EQ(testing::tokens_of(pack, Split::kTrain, i), expected);
    EXPECT_EQ(pieces[i].id, pieces[original].id);
    EXPECT_EQ(pieces[i].pitch_high, pieces[original].pitch_high + pieces[i].transposed);
    EXPECT_LE(pieces[i].pitch_high, 109);
  }
  for (const auto& [file, semitones] : copies) {
    const bool is_chopin = file.starts_with("chopin/");
    const int room = std::min(6, 109 - pieces[originals.at(file)].pitch_high);
    EXPECT_THAT(semitones, SizeIs(is_chopin ? 3u + static_cast<unsigned>(room) : 1u)) << file;
  }
}

TEST_F(Builder, TakesLabelsAndComposersFromATable) {
  add_melodies(4);
  testing::write_file(
      folder_.path() / "labels.csv",
      "ID,mood,Composer\nm0,\"calm, \"\"slow\"\"\",\nm1.mid,wild,Clara\nchopin/m2.mid,sad,Fanny\nm99,,\n");
  PackRequest asked = request();
  asked.labels = folder_.path() / "labels.csv";
  const PackReport report = build_pack(asked);
  std::map<std::string, Piece> pieces;
  const Pack pack = Pack::open(output());
  for (const Split split : kSplits) {
    for (const Piece& piece : pack.pieces(split)) pieces[piece.file] = piece;
  }
  using Map = std::map<std::string, std::string>;
  EXPECT_EQ(pieces.at("chopin/m0.mid").labels, (Map{{"mood", "calm, \"slow\""}}));
  EXPECT_EQ(pieces.at("chopin/m0.mid").composer, "chopin") << "an empty field says nothing";
  EXPECT_EQ(pieces.at("liszt/m1.mid").composer, "Clara");
  EXPECT_EQ(pieces.at("chopin/m2.mid").labels, (Map{{"mood", "sad"}}));
  EXPECT_THAT(pieces.at("liszt/m3.mid").labels, IsEmpty());
  EXPECT_THAT(report.warnings, ::testing::Contains(AllOf(HasSubstr("labels.csv"), HasSubstr("m99"))));
}

TEST_F(Builder, TellsInputsOfOneNameApart) {
  testing::write_midi(folder_.path() / "x" / "midi" / "a.mid", testing::melody(1));
  testing::write_midi(folder_.path() / "y" / "midi" / "a.mid", testing::melody(2));
  PackRequest asked = request();
  asked.inputs = {folder_.path() / "x" / "midi", folder_.path() / "y" / "midi"};
  build_pack(asked);
  EXPECT_THAT(split_by_file(Pack::open(output())),
              ElementsAre(::testing::Key("midi-2/a.mid"), ::testing::Key("midi/a.mid")));
}

TEST_F(Builder, SaysWhenASplitStaysEmpty) {
  testing::write_midi(music() / "a.mid", testing::melody(1));
  const PackReport report = build_pack(request());
  EXPECT_THAT(report.warnings, SizeIs(2));
  EXPECT_THAT(report.warnings[0], HasSubstr("no piece fell into the "));
  PackRequest all = request("all");
  all.validation = all.test = 0;
  EXPECT_THAT(build_pack(all).warnings, IsEmpty());
}

TEST_F(Builder, FailsWhenNothingCouldBeReadAndLeavesNothing) {
  testing::write_file(music() / "bad.mid", "MThd");
  EXPECT_THAT([&] { build_pack(request()); },
              ThrowsMessage<Error>(AllOf(HasSubstr("none of 1 files gave a piece"), HasSubstr("bad.mid"))));
  EXPECT_THAT(left_behind(), IsEmpty());
  fs::remove(music() / "bad.mid");
  EXPECT_THAT([&] { build_pack(request()); }, ThrowsMessage<Error>(HasSubstr("there is no .mid")));
}

TEST_F(Builder, RefusesWhatCannotBeMeant) {
  add_melodies(2);
  PackRequest missing = request();
  missing.inputs = {folder_.path() / "nowhere"};
  EXPECT_THROW(build_pack(missing), UsageError);
  PackRequest shares = request();
  shares.validation = 0.6;
  shares.test = 0.4;
  EXPECT_THROW(build_pack(shares), UsageError);
  shares.validation = std::nan("");
  EXPECT_THROW(build_pack(shares), UsageError);
  PackRequest tokenizer = request();
  tokenizer.tokenizer = "none";
  EXPECT_THROW(build_pack(tokenizer), UsageError);
  PackRequest where = request();
  where.transpose_where = {{"composer", "chopin"}};
  EXPECT_THROW(build_pack(where), UsageError);
  EXPECT_THAT(left_behind(), IsEmpty());
}

TEST_F(Builder, ReplacesAPackOnlyWhenAskedAndNothingElseEver) {
  add_melodies(4);
  build_pack(request());
  const auto before = files_of(output());
  add_melodies(6);
  EXPECT_THAT([&] { build_pack(request()); }, ThrowsMessage<UsageError>(HasSubstr("--overwrite")));
  EXPECT_EQ(files_of(output()), before);
  PackRequest again = request();
  again.overwrite = true;
  testing::write_file(output() / "thesis.tex", "years of work");
  EXPECT_THAT([&] { build_pack(again); }, ThrowsMessage<UsageError>(HasSubstr("thesis.tex")));
  fs::remove(output() / "thesis.tex");
  build_pack(again);
  EXPECT_THAT(split_by_file(Pack::open(output())), SizeIs(6));
  PackRequest onto_music = request();
  onto_music.output = music();
  onto_music.overwrite = true;
  EXPECT_THAT([&] { build_pack(onto_music); }, ThrowsMessage<UsageError>(HasSubstr("is no pack")));
  fs::create_directory(output("empty"));
  build_pack(request("empty"));
}

TEST_F(Builder, LeavesNothingWhenStopped) {
  add_melodies(30);
  int asked = 0;
  PackWatch watch;
  watch.stop = [&] { return ++asked > 5; };
  EXPECT_THROW(build_pack(request(), watch), Interrupted);
  EXPECT_THAT(left_behind(), IsEmpty());
}

TEST_F(Builder, HoldsTextOfOldEncodings) {
  Score score = testing::melody(1);
  score.title = "Pr\xe9lude\n";  // Latin-1
  testing::write_midi(music() / "Fr\xe9" / "a.mid", score);
  build_pack(request());
  const Pack pack = Pack::open(output());
  pack.verify();
  for (const Split split : kSplits) {
    for (const Piece& piece : pack.pieces(split)) {
      EXPECT_EQ(piece.title, "Prélude");
      EXPECT_EQ(piece.composer, "Fré");
    }
  }
}

}  // namespace
}  // namespace etude::data
