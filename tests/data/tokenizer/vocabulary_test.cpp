#include "data/tokenizer/vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/config/error.h"

namespace etude::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::ThrowsMessage;

Vocabulary small() { return Vocabulary({"PAD_None", "Pitch_60", "Velocity_64", "Pitch_62", "Pitch_61", "X_Pitch_70"}); }

TEST(Vocabulary, IdsAreThePlacesOfTheTokens) {
  const Vocabulary vocabulary = small();
  EXPECT_EQ(vocabulary.size(), 6);
  EXPECT_EQ(vocabulary.id("Velocity_64"), 2);
  EXPECT_EQ(vocabulary.token(3), "Pitch_62");
  EXPECT_EQ(vocabulary.find("Pitch_99"), std::nullopt);
  EXPECT_THAT([&] { vocabulary.id("Pitch_99"); }, ThrowsMessage<Error>(HasSubstr("'Pitch_99'")));
}

TEST(Vocabulary, FamiliesAreWhatPrecedesTheFirstUnderscore) {
  const Vocabulary vocabulary = small();
  EXPECT_THAT(vocabulary.families(), ElementsAre("PAD", "Pitch", "Velocity", "X"));
  EXPECT_EQ(vocabulary.family(4), 1);
  EXPECT_EQ(vocabulary.family(5), 3);
}

TEST(Vocabulary, OnlyPitchTokensHaveAPitch) {
  const Vocabulary vocabulary({"Pitch_60", "Pitch_x", "Pitch_200", "PitchDrum_40", "Pitch", "Pitch_6 "});
  EXPECT_EQ(vocabulary.pitch(0), 60);
  for (TokenId id = 1; id < 6; ++id) EXPECT_EQ(vocabulary.pitch(id), -1) << vocabulary.token(id);
  EXPECT_THAT(vocabulary.pitch_range(), Pair(60, 60));
  EXPECT_THAT(Vocabulary({"A_1"}).pitch_range(), Pair(0, -1));
}

TEST(Vocabulary, TranspositionMovesPitchesAndNothingElse) {
  const Vocabulary vocabulary = small();
  EXPECT_EQ(vocabulary.token(vocabulary.transposed(1, 2)), "Pitch_62");
  EXPECT_EQ(vocabulary.token(vocabulary.transposed(3, -1)), "Pitch_61");
  EXPECT_EQ(vocabulary.transposed(2, 5), 2);
  EXPECT_THAT([&] { vocabulary.transposed(3, 1); }, ThrowsMessage<Error>(HasSubstr("60..62")));
  EXPECT_THROW(vocabulary.transposed(3, 1000), Error);
}

TEST(Vocabulary, ATokenStandsOnce) {
  EXPECT_THAT([] { Vocabulary({"A_1", "B_1", "A_1"}); }, ThrowsMessage<Error>(HasSubstr("'A_1' twice, as 0 and as 2")));
}

}  // namespace
}  // namespace etude::data
