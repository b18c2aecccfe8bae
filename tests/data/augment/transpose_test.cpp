#include "data/augment/transpose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/config/error.h"

namespace etude::data {
namespace {

using ::testing::ElementsAre;

/// Pitches 60 to 72, as ids 2 to 14.
Vocabulary one_octave() {
  std::vector<std::string> tokens{"PAD_None", "Bar_None"};
  for (int pitch = 60; pitch <= 72; ++pitch) tokens.push_back("Pitch_" + std::to_string(pitch));
  tokens.push_back("PitchDrum_60");
  return Vocabulary(tokens);
}

TEST(Transposition, MovesPitchesAndNothingElse) {
  const Vocabulary vocabulary = one_octave();
  const std::vector<TokenId> tokens{1, vocabulary.id("Pitch_62"), vocabulary.id("PitchDrum_60"),
                                    vocabulary.id("Pitch_66")};
  EXPECT_THAT(transposed(tokens, 3, vocabulary),
              ElementsAre(1, vocabulary.id("Pitch_65"), vocabulary.id("PitchDrum_60"), vocabulary.id("Pitch_69")));
  EXPECT_EQ(transposed(transposed(tokens, 3, vocabulary), -3, vocabulary), tokens);
}

TEST(Transposition, GoesExactlyAsFarAsTheVocabularyReaches) {
  const Vocabulary vocabulary = one_octave();
  const std::vector<TokenId> tokens{vocabulary.id("Pitch_62"), vocabulary.id("Pitch_69")};
  const auto pitches = pitch_range_of(tokens, vocabulary);
  EXPECT_EQ(pitches, std::pair(62, 69));
  const auto [low, high] = permitted_semitones(pitches, vocabulary);
  EXPECT_EQ(low, -2);
  EXPECT_EQ(high, 3);
  EXPECT_THAT(transposed(tokens, high, vocabulary), ElementsAre(vocabulary.id("Pitch_65"), vocabulary.id("Pitch_72")));
  EXPECT_THROW(transposed(tokens, high + 1, vocabulary), Error);
  EXPECT_THROW(transposed(tokens, low - 1, vocabulary), Error);
}

TEST(Transposition, OfMusicWithoutPitchesIsNone) {
  const Vocabulary vocabulary = one_octave();
  EXPECT_EQ(permitted_semitones(pitch_range_of(std::vector<TokenId>{0, 1}, vocabulary), vocabulary), std::pair(0, 0));
}

TEST(Where, LooksForTheTextWithoutRegardToCaseInEveryKey) {
  Piece piece;
  piece.composer = "Frédéric CHOPIN";
  piece.title = "Prelude in E minor";
  piece.file = "chopin/op28-4.mid";
  piece.labels = {{"mood", "Sad"}};
  EXPECT_TRUE(fits(piece, {}));
  EXPECT_TRUE(fits(piece, {{"composer", "chopin"}}));
  EXPECT_TRUE(fits(piece, {{"composer", "Chopin"}, {"mood", "sad"}, {"title", "prelude"}, {"file", "OP28"}}));
  EXPECT_FALSE(fits(piece, {{"composer", "chopin"}, {"mood", "calm"}}));
  EXPECT_FALSE(fits(piece, {{"tempo", "sad"}})) << "a label that the piece has not";
}

}  // namespace
}  // namespace etude::data
