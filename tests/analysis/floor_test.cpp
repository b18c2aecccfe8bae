#include "analysis/floor.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "analysis/ngram.h"
#include "framework/config/error.h"
#include "tests/data/pack/music.h"
#include "tests/support/oracle.h"

namespace etude::analysis {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// A pack of melodies that say "up, down" by habit.
class FloorOfPack : public ::testing::Test {
 protected:
  void SetUp() override {
    for (unsigned seed = 1; seed <= 40; ++seed) {
      data::Score score = testing::melody(seed, 40);
      auto& notes = score.tracks[0].notes;
      for (std::size_t i = 1; i < notes.size(); i += 2) notes[i].pitch = notes[i - 1].pitch + 1;
      testing::write_midi(folder_.path() / "music" / (std::to_string(seed) + ".mid"), score);
    }
  }

  data::Pack packed(double validation, std::optional<std::pair<int, int>> transpose = std::nullopt) {
    data::PackRequest request = testing::request(folder_.path() / "music", folder_.path() / "pack");
    request.validation = validation;
    request.transpose = transpose;
    request.overwrite = true;
    data::build_pack(request);
    return data::Pack::open(folder_.path() / "pack");
  }

  testing::TemporaryFolder folder_;
};

TEST_F(FloorOfPack, IsTheLowestMeanOverEveryTokenThatIsPredicted) {
  const data::Pack pack = packed(0.3);
  const Floor floor = make_floor(pack, data::Split::kValidation).value();
  NgramModel model(pack.vocabulary().size());
  std::int64_t learned = 0, tokens = 0, notes = 0;
  for (std::size_t i = 0; i < pack.pieces(data::Split::kTrain).size(); ++i) {
    model.learn(testing::tokens_of(pack, data::Split::kTrain, i));
    learned += pack.pieces(data::Split::kTrain)[i].tokens;
  }
  model.weigh();
  NgramModel::ByOrder sums{};
  for (std::size_t i = 0; i < pack.pieces(data::Split::kValidation).size(); ++i) {
    const auto loss = model.loss(testing::tokens_of(pack, data::Split::kValidation, i));
    for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += loss[k];
    tokens += pack.pieces(data::Split::kValidation)[i].tokens - 1;
    notes += pack.pieces(data::Split::kValidation)[i].notes;
  }
  EXPECT_EQ(floor.pack, pack.hash());
  EXPECT_EQ(floor.learned_tokens, learned);
  EXPECT_EQ(floor.tokens, tokens);
  EXPECT_EQ(floor.notes, notes);
  ASSERT_EQ(floor.orders.size(), sums.size());
  for (std::size_t k = 0; k < sums.size(); ++k) {
    EXPECT_NEAR(floor.orders[k].loss, sums[k] / static_cast<double>(tokens), 1e-9);
    EXPECT_NEAR(floor.orders[k].loss_per_note, sums[k] / static_cast<double>(notes), 1e-9);
    EXPECT_GE(floor.orders[k].loss, floor.loss);
  }
  EXPECT_EQ(floor.orders[static_cast<std::size_t>(floor.order) - 1].loss_per_note, floor.loss_per_note);
  // The habit lies a whole note, four tokens, back; what a token alone tells is its family.
  EXPECT_LT(floor.loss, floor.orders[1].loss - 0.1);
  EXPECT_THAT(in_words(floor), AllOf(HasSubstr("order " + std::to_string(floor.order)), HasSubstr("validation")));
}

TEST_F(FloorOfPack, LimitsHoldAndTransposedCopiesComeLast) {
  const data::Pack pack = packed(0.3, std::pair{-2, 2});
  std::int64_t originals = 0, all = 0;
  for (const data::Piece& piece : pack.pieces(data::Split::kTrain)) {
    all += piece.tokens;
    originals += piece.transposed == 0 ? piece.tokens : 0;
  }
  ASSERT_EQ(make_floor(pack, data::Split::kValidation)->learned_tokens, all);
  const Floor bounded =
      make_floor(pack, data::Split::kValidation, {.learned_tokens = originals, .tokens = 300}).value();
  EXPECT_EQ(bounded.learned_tokens, originals);
  EXPECT_GT(bounded.tokens, 250);
  EXPECT_LT(bounded.tokens, 300);
  const Floor plain = make_floor(packed(0.3), data::Split::kValidation, {.tokens = 300}).value();
  EXPECT_EQ(bounded.orders[2].loss, plain.orders[2].loss);
}

TEST_F(FloorOfPack, CanBeCalledOff) {
  const data::Pack pack = packed(0.3);
  int asked = 0;
  EXPECT_FALSE(make_floor(pack, data::Split::kValidation, {}, [&] { return ++asked == 3; }));
  EXPECT_EQ(asked, 3);
}

TEST_F(FloorOfPack, AnEmptySplitIsNamed) {
  const data::Pack pack = packed(0);
  EXPECT_THAT(
      [&] { make_floor(pack, data::Split::kValidation); },
      ThrowsMessage<UsageError>(AllOf(HasSubstr("validation split holds no piece"), HasSubstr("--validation"))));
}

TEST_F(FloorOfPack, ReadsBackWhatWasWritten) {
  const Floor floor = make_floor(packed(0.3), data::Split::kValidation).value();
  const auto file = folder_.path() / "floor.json";
  std::ofstream(file) << to_json(floor).dump(1);
  EXPECT_EQ(to_json(read_floor(file)), to_json(floor));
}

TEST(FloorFile, WhatIsMalformedIsNamed) {
  const testing::TemporaryFolder folder;
  const auto file = folder.path() / "floor.json";
  for (const char* content : {"", "{", "[]", "{\"pack\": 3}", "{\"pack\": \"x\", \"split\": \"elsewhere\"}"}) {
    std::ofstream(file) << content;
    EXPECT_THAT([&] { read_floor(file); }, ThrowsMessage<Error>(AllOf(HasSubstr(file.string()), HasSubstr("--resume"))))
        << content;
  }
  EXPECT_THROW(read_floor(folder.path() / "absent.json"), Error);
}

}  // namespace
}  // namespace etude::analysis
