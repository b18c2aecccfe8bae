#include "data/shard/pack.h"

#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/config/error.h"
#include "tests/data/pack/music.h"
#include "tests/support/oracle.h"

namespace etude::data {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
namespace fs = std::filesystem;

/// A pack of a few pieces, and one of others.
class Packs : public ::testing::TestWithParam<ShardFormat> {
 protected:
  void SetUp() override {
    make("pack", 0);
    make("other", 100);
  }
  void make(const std::string& name, unsigned first_seed) {
    for (unsigned i = 0; i < 20; ++i) {
      testing::write_midi(folder_.path() / ("music-" + name) / (std::to_string(i) + ".mid"),
                          testing::melody(first_seed + i));
    }
    PackRequest request = testing::request(folder_.path() / ("music-" + name), folder_.path() / name);
    request.format = GetParam();
    build_pack(request);
  }
  fs::path pack() const { return folder_.path() / "pack"; }
  std::string shard_name() const { return GetParam() == ShardFormat::kHdf5 ? "train.h5" : "train.pt"; }
  fs::path shard() const { return pack() / shard_name(); }
  void edit_manifest(const std::string& pattern, const std::string& replacement) const {
    const std::string before = testing::slurp(pack() / "pack.json");
    const std::string after =
        std::regex_replace(before, std::regex(pattern), replacement, std::regex_constants::format_first_only);
    ASSERT_NE(before, after);
    testing::write_file(pack() / "pack.json", after);
  }
  void expect_open_error(const std::string& part, const std::string& another = "") const {
    EXPECT_THAT([&] { Pack::open(pack()); }, ThrowsMessage<Error>(AllOf(HasSubstr(part), HasSubstr(another))));
  }
  testing::TemporaryFolder folder_;
};

TEST_P(Packs, OpenAndVerify) {
  const Pack opened = Pack::open(pack());
  opened.verify();
  EXPECT_EQ(opened.tokenizer().name(), "remi");
  EXPECT_THAT(opened.describe(), AllOf(HasSubstr("20 pieces"), HasSubstr(opened.hash())));
  EXPECT_NE(opened.hash(), Pack::open(folder_.path() / "other").hash());
  // REMI: every piece starts with BOS, a bar and its metre, and ends with EOS.
  const std::vector<TokenId> tokens = testing::tokens_of(opened, Split::kTrain, 0);
  EXPECT_EQ(opened.vocabulary().token(tokens.front()), "BOS_None");
  EXPECT_EQ(opened.vocabulary().token(tokens[1]), "Bar_None");
  EXPECT_EQ(opened.vocabulary().token(tokens.back()), "EOS_None");
}

TEST_P(Packs, ReadNoFurtherThanAPiece) {
  const Pack opened = Pack::open(pack());
  const std::int64_t length = opened.pieces(Split::kTrain)[0].tokens;
  std::vector<TokenId> out(2);
  opened.read(Split::kTrain, 0, length - 2, out);
  EXPECT_THROW(opened.read(Split::kTrain, 0, length - 1, out), Error);
  EXPECT_THROW(opened.read(Split::kTrain, 1000, 0, out), Error);
}

TEST_P(Packs, ThatAreNotThereSayHowToMakeOne) {
  EXPECT_THAT([&] { Pack::open(folder_.path() / "nothing"); }, ThrowsMessage<UsageError>(HasSubstr("etude pack")));
}

TEST_P(Packs, WithAMissingShardNameIt) {
  fs::remove(shard());
  expect_open_error(shard_name(), "missing");
}

TEST_P(Packs, WithATruncatedShardNameIt) {
  for (const std::uintmax_t keep :
       {fs::file_size(shard()) - 1, fs::file_size(shard()) / 2, std::uintmax_t{10}, std::uintmax_t{0}}) {
    fs::resize_file(shard(), keep);
    expect_open_error(shard_name(), "copy");
  }
}

TEST_P(Packs, WithAFlippedTokenAreFoundOutByVerify) {
  const Pack before = Pack::open(pack());
  const std::vector<TokenId> tokens = testing::tokens_of(before, Split::kTrain, 0);
  // The first tokens as they lie in the file, 16 bits each.
  std::string start;
  for (const TokenId token : {tokens[0], tokens[1], tokens[2], tokens[3], tokens[4]}) {
    start += static_cast<char>(token & 0xff);
    start += static_cast<char>(token >> 8);
  }
  std::string bytes = testing::slurp(shard());
  const std::size_t at = bytes.find(start);
  ASSERT_NE(at, std::string::npos);
  bytes[at + 8] = static_cast<char>(bytes[at + 8] ^ 1);
  fs::remove(shard());  // what has the old one open keeps it
  testing::write_file(shard(), bytes);
  before.verify();
  const Pack after = Pack::open(pack());
  EXPECT_THAT([&] { after.verify(); }, ThrowsMessage<Error>(AllOf(HasSubstr(shard_name()), HasSubstr("'tokens'"))));

  bytes[at + 9] = 127;
  fs::remove(shard());
  testing::write_file(shard(), bytes);
  const Pack beyond = Pack::open(pack());
  EXPECT_THAT([&] { testing::tokens_of(beyond, Split::kTrain, 0); },
              ThrowsMessage<Error>(AllOf(HasSubstr(shard_name()), HasSubstr("the vocabulary has 357"))));
}

TEST_P(Packs, WithAShardOfAnotherPackSaySo) {
  fs::copy_file(folder_.path() / "other" / shard_name(), shard(), fs::copy_options::overwrite_existing);
  expect_open_error(shard_name(), "a shard of another pack?");
}

TEST_P(Packs, WhosePartsDoNotFitSaySo) {
  edit_manifest(R"("tokens":(\d)(\d+),"notes":24)", R"("tokens":9$2,"notes":24)");
  expect_open_error("pack.json", "but 'splits' says");
}

TEST_P(Packs, OfANewerVersionAskForANewerProgram) {
  edit_manifest(R"("version": 1)", R"("version": 2)");
  expect_open_error("pack.json", "use a newer etude");
}

TEST_P(Packs, OfAnotherVocabularyAskToBePackedAgain) {
  edit_manifest("Pitch_60", "Pitch_160");
  expect_open_error("pack.json", "pack the music again");
}

TEST_P(Packs, WithAnUnknownTokenizerNameIt) {
  edit_manifest(R"("kind":"remi")", R"("kind":"rime")");
  expect_open_error("pack.json", "rime");
}

TEST_P(Packs, DoNotFollowShardNamesOutOfTheirFolder) {
  edit_manifest(R"("file":"train)", R"("file":"../other/train)");
  expect_open_error("pack.json", "../other/train");
}

TEST_P(Packs, WithACutOrChangedDescriptionSaySo) {
  edit_manifest(R"("title":"0")", R"("title":"1")");
  const Pack changed = Pack::open(pack());
  EXPECT_THAT([&] { changed.verify(); }, ThrowsMessage<Error>(HasSubstr("'title'")));
  edit_manifest(R"("seconds":12\.0,)", R"("seconds":13.0,)");
  fs::resize_file(pack() / "pack.json", fs::file_size(pack() / "pack.json") / 2);
  expect_open_error("pack.json", "truncated");
}

TEST_P(Packs, WithAChangedFigureAreFoundOutByVerify) {
  edit_manifest(R"("seconds":12\.0,)", R"("seconds":13.0,)");
  const Pack changed = Pack::open(pack());
  EXPECT_THAT([&] { changed.verify(); }, ThrowsMessage<Error>(AllOf(HasSubstr("pack.json"), HasSubstr("changed"))));
}

INSTANTIATE_TEST_SUITE_P(Both, Packs, ::testing::Values(ShardFormat::kHdf5, ShardFormat::kTorch),
                         [](const auto& one) { return one.param == ShardFormat::kHdf5 ? "h5" : "pt"; });

TEST(Splits, AreCalledByName) {
  for (const Split split : kSplits) EXPECT_EQ(parse_split(to_string(split)), split);
  EXPECT_THAT([] { parse_split("dev"); }, ThrowsMessage<UsageError>(HasSubstr("train, validation and test")));
}

}  // namespace
}  // namespace etude::data
