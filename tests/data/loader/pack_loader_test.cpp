#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/loader/loader.h"
#include "data/pack/builder.h"
#include "tests/support/oracle.h"

namespace etude::data {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

/// Two tunes written down for this test, one of them by "Nobody Much".
constexpr const char* kTunes = R"(X:1
T:Up and down
C:Nobody Much
M:4/4
L:1/4
K:C
C D E F | G A B c | c B A G | F E D C | E G c e | e c G E | C E G c | C4 |]

X:2
T:Round about
M:3/4
L:1/4
K:G
G B d | d B G | A c e | e c A | B d g | g d B | A F D | G3 | G A B | c d e | f g a | g3 |]
)";

class PackLoader : public ::testing::TestWithParam<ShardFormat> {
 protected:
  Pack make(const std::string& name, std::optional<std::pair<int, int>> transpose,
            const std::map<std::string, std::string>& where = {}) {
    std::filesystem::create_directories(folder_.path() / "music");
    std::ofstream(folder_.path() / "music" / "tunes.abc") << kTunes;
    PackRequest request;
    request.inputs = {folder_.path() / "music"};
    request.output = folder_.path() / name;
    request.format = GetParam();
    request.transpose = transpose;
    request.transpose_where = where;
    request.validation = 0;
    request.test = 0;
    build_pack(request);
    return Pack::open(request.output);
  }

  testing::TemporaryFolder folder_;
};

TEST_P(PackLoader, TransposingWhileLoadingOrWhilePackingGivesTheSameTokens) {
  const std::map<std::string, std::string> where{{"composer", "nobody"}};
  const Pack plain = make("plain", {});
  const Pack copies = make("copies", std::pair(-2, 3), where);
  std::map<std::pair<std::string, int>, std::int64_t> copy_of;
  for (const Piece& piece : copies.pieces(Split::kTrain)) {
    const auto number = std::ssize(copy_of);
    copy_of[{piece.id, piece.transposed}] = number;
  }
  EXPECT_EQ(copy_of.size(), 6U + 1U);

  DataOptions options;
  options.sequence_length = 24;
  options.transpose = {{-2, 3}, where};
  const auto plan = make_training_plan(plain, options, 8, 3);
  Loader loader(plain, Split::kTrain, *plan, 4, {0, 2}, 0);
  std::map<std::string, std::set<int>> seen;
  for (int step = 0; step < 50; ++step) {
    for (const TokenGrid& grid : loader.next().grains) {
      for (std::size_t row = 0; row < grid.sequences.size(); ++row) {
        const SequenceRef& sequence = grid.sequences[row];
        const Piece& piece = plain.pieces(Split::kTrain)[static_cast<std::size_t>(sequence.piece)];
        seen[piece.title].insert(sequence.semitones);
        std::vector<TokenId> copy(static_cast<std::size_t>(sequence.length) + 1);
        copies.read(Split::kTrain, copy_of.at({piece.id, sequence.semitones}), sequence.begin, copy);
        const std::size_t at = row * static_cast<std::size_t>(grid.columns);
        const std::span tokens(copy);
        EXPECT_THAT(std::span(grid.inputs).subspan(at, copy.size() - 1),
                    ElementsAreArray(tokens.first(copy.size() - 1)));
        EXPECT_THAT(std::span(grid.targets).subspan(at, copy.size() - 1), ElementsAreArray(tokens.subspan(1)));
      }
    }
  }
  EXPECT_THAT(seen["Up and down"], ElementsAre(-2, -1, 0, 1, 2, 3));
  EXPECT_THAT(seen["Round about"], ElementsAre(0));
}

TEST_P(PackLoader, AnEpochHoldsThePack) {
  const Pack pack = make("plain", {});
  DataOptions options;
  options.sequence_length = 16;
  const auto plan = make_training_plan(pack, options, 1, 3);
  Loader loader(pack, Split::kTrain, *plan, 1, {0, 1}, 0);
  std::vector<std::vector<std::int64_t>> tokens;
  for (const Piece& piece : pack.pieces(Split::kTrain)) {
    tokens.emplace_back(static_cast<std::size_t>(piece.tokens), kIgnored);
    tokens.back().front() = pack.vocabulary().id("BOS_None");
  }
  for (std::int64_t step = 0; step < plan->sequences_per_epoch(); ++step) {
    const TokenGrid grid = std::move(loader.next().grains.front());
    const SequenceRef& sequence = grid.sequences.front();
    for (std::int64_t i = 0; i < sequence.length; ++i) {
      tokens[static_cast<std::size_t>(sequence.piece)].at(static_cast<std::size_t>(sequence.begin + i + 1)) =
          grid.targets[static_cast<std::size_t>(i)];
    }
  }
  for (std::size_t piece = 0; piece < tokens.size(); ++piece) {
    std::vector<TokenId> expected(tokens[piece].size());
    pack.read(Split::kTrain, static_cast<std::int64_t>(piece), 0, expected);
    EXPECT_THAT(tokens[piece], ElementsAreArray(expected));
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, PackLoader, ::testing::Values(ShardFormat::kHdf5, ShardFormat::kTorch),
                         [](const auto& format) { return format.param == ShardFormat::kHdf5 ? "hdf5" : "torch"; });

}  // namespace
}  // namespace etude::data
