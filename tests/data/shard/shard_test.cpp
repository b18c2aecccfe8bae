#include <fstream>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/shard/checksum.h"
#include "framework/config/error.h"
#include "tests/data/shard/example.h"
#include "tests/support/oracle.h"

namespace etude::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class Shards : public ::testing::TestWithParam<std::tuple<std::string, TokenType>> {
 protected:
  std::filesystem::path file() const { return folder_.path() / ("train" + std::get<0>(GetParam())); }
  testing::TemporaryFolder folder_;
  testing::ExampleShard example_{std::get<1>(GetParam())};
};

TEST_P(Shards, GiveBackWhatWasWritten) {
  write_shard(file(), example_.content);
  const auto shard = open_shard(file());
  EXPECT_EQ(shard->size(), 5);
  EXPECT_EQ(shard->offsets(), example_.content.offsets);
  EXPECT_EQ(shard->texts(), testing::ExampleShard::texts());
  EXPECT_EQ(shard->checksums(), example_.content.checksums);
  std::vector<TokenId> tokens(5);
  shard->read(0, tokens);
  EXPECT_EQ(tokens, example_.tokens);
  std::vector<TokenId> middle(2);
  shard->read(2, middle);
  EXPECT_THAT(middle, ElementsAre(example_.tokens[2], 7));
}

TEST_P(Shards, MayBeEmpty) {
  ShardContent nothing;
  nothing.type = std::get<1>(GetParam());
  nothing.offsets = {0};
  write_shard(file(), nothing);
  const auto shard = open_shard(file());
  EXPECT_EQ(shard->size(), 0);
  EXPECT_THAT(shard->offsets(), ElementsAre(0));
  EXPECT_EQ(shard->texts(), PieceTexts{});
}

TEST_P(Shards, RefuseToReadPastTheirEnd) {
  write_shard(file(), example_.content);
  const auto shard = open_shard(file());
  std::vector<TokenId> out(3);
  EXPECT_THAT([&] { shard->read(3, out); },
              ThrowsMessage<Error>(HasSubstr("tokens 3 to 6 were asked for, but it has 5")));
  EXPECT_THROW(shard->read(-1, out), Error);
}

TEST_P(Shards, NameWhatDoesNotFit) {
  example_.content.offsets = {0, 3, 9};
  write_shard(file(), example_.content);
  EXPECT_THAT([&] { open_shard(file()); },
              ThrowsMessage<Error>(::testing::AllOf(HasSubstr(file().string()),
                                                    HasSubstr("'tokens' has 5 values but 'offsets' ends at 9"))));
}

TEST_P(Shards, AreReadByManyThreadsAtOnce) {
  std::vector<TokenId> tokens(20'000);
  for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<TokenId>(i * 7 % 251);
  const auto bytes = narrowed(tokens, example_.content.type);
  example_.content.tokens = bytes;
  example_.content.offsets = {0, 20'000};
  write_shard(file(), example_.content);
  const auto shard = open_shard(file());
  const auto other = open_shard(file());
  std::atomic<int> wrong = 0;
  const auto work = [&](unsigned seed) {
    std::mt19937 random(seed);
    std::vector<TokenId> out(100);
    for (int round = 0; round < 300; ++round) {
      const std::size_t begin = random() % (tokens.size() - out.size());
      (round % 2 == 0 ? shard : other)->read(static_cast<std::int64_t>(begin), out);
      if (!std::equal(out.begin(), out.end(), tokens.begin() + static_cast<std::ptrdiff_t>(begin))) ++wrong;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < 4; ++i) threads.emplace_back(work, i);
  }
  EXPECT_EQ(wrong, 0);
}

INSTANTIATE_TEST_SUITE_P(
    All, Shards,
    ::testing::Combine(::testing::Values(".h5", ".pt"),
                       ::testing::Values(TokenType::kUint8, TokenType::kUint16, TokenType::kUint32)),
    [](const auto& one) { return std::get<0>(one.param).substr(1) + "_" + to_string(std::get<1>(one.param)); });

TEST(ShardFiles, ThatAreMissingSayHowToMend) {
  EXPECT_THAT([] { open_shard("/nowhere/train.h5"); },
              ThrowsMessage<Error>(::testing::AllOf(HasSubstr("/nowhere/train.h5 is missing"), HasSubstr("copy"))));
}

TEST(ShardFiles, OfAnotherKindAreRefused) {
  const testing::TemporaryFolder folder;
  for (const char* name : {"train.h5", "train.pt"}) {
    std::ofstream(folder.path() / name) << "MThd, for example";
    EXPECT_THAT([&] { open_shard(folder.path() / name); }, ThrowsMessage<Error>(HasSubstr(name)));
  }
}

TEST(ShardFiles, OfTheSameContentAreTheSameBytes) {
  const testing::TemporaryFolder folder;
  const testing::ExampleShard example(TokenType::kUint16);
  for (const char* name : {"one.h5", "one.pt"}) write_shard(folder.path() / name, example.content);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // a timestamp of whole seconds would show
  for (const char* name : {"two.h5", "two.pt"}) write_shard(folder.path() / name, example.content);
  EXPECT_EQ(testing::slurp(folder.path() / "one.h5"), testing::slurp(folder.path() / "two.h5"));
  EXPECT_EQ(testing::slurp(folder.path() / "one.pt"), testing::slurp(folder.path() / "two.pt"));
}

TEST(TokenTypes, AreTheSmallestThatFit) {
  EXPECT_EQ(token_type_for(256), TokenType::kUint8);
  EXPECT_EQ(token_type_for(257), TokenType::kUint16);
  EXPECT_EQ(token_type_for(65'536), TokenType::kUint16);
  EXPECT_EQ(token_type_for(65'537), TokenType::kUint32);
}

TEST(Checksums, OfPartsAreThoseOfTheWhole) {
  const std::string text(100'000, 'x');
  Checksum checksum;
  for (std::size_t i = 0; i < text.size(); i += 777) {
    checksum.add(std::as_bytes(std::span(text)).subspan(i, std::min<std::size_t>(777, text.size() - i)));
  }
  EXPECT_EQ(checksum.digits(), files::hash(text));
}

}  // namespace
}  // namespace etude::data
