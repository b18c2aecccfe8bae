#include "data/tokenizer/remi_grammar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/tokenizer/remi.h"
#include "tests/data/tokenizer/random_music.h"
#include "tests/data/tokenizer/words.h"

namespace etude::data {
namespace {

using etude::testing::Dice;
using etude::testing::ids;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsSupersetOf;
using ::testing::Not;

/// What may follow `written`.
std::vector<std::string> after(const std::string& written) {
  const Remi remi;
  const auto grammar = remi.grammar();
  for (const TokenId token : ids(remi, written)) grammar->advance(token);
  std::vector<bool> allowed;
  grammar->next(allowed);
  std::vector<std::string> result;
  for (std::size_t id = 0; id < allowed.size(); ++id)
    if (allowed[id]) result.push_back(remi.vocabulary().token(static_cast<TokenId>(id)));
  return result;
}

std::vector<std::string> families_after(const std::string& written) {
  std::vector<std::string> families;
  for (const std::string& token : after(written)) {
    const std::string family = token.substr(0, token.find('_'));
    if (families.empty() || families.back() != family) families.push_back(family);
  }
  return families;
}

TEST(RemiGrammar, EachTokenCallsForTheNext) {
  EXPECT_THAT(after(""), ElementsAre("BOS_None"));
  EXPECT_THAT(after("BOS"), ElementsAre("Bar_None"));
  EXPECT_THAT(families_after("BOS Bar"), ElementsAre("TimeSig"));
  EXPECT_THAT(families_after("BOS Bar TimeSig_4/4"), ElementsAre("EOS", "Bar", "Position"));
  EXPECT_THAT(families_after("BOS Bar TimeSig_4/4 Position_3"), ElementsAre("Pitch"));
  EXPECT_THAT(families_after("BOS Bar TimeSig_4/4 Position_3 Pitch_60"), ElementsAre("Velocity"));
  EXPECT_THAT(families_after("BOS Bar TimeSig_4/4 Position_3 Pitch_60 Velocity_63"), ElementsAre("Duration"));
  EXPECT_THAT(families_after("BOS Bar TimeSig_4/4 Position_3 Pitch_60 Velocity_63 Duration_1.0.8"),
              ElementsAre("EOS", "Bar", "Pitch", "Position"));
  EXPECT_THAT(after("BOS Bar TimeSig_4/4 EOS"), ElementsAre("EOS_None"));
}

TEST(RemiGrammar, PositionsGoForwardWithinTheBar) {
  const std::string note = " Pitch_60 Velocity_63 Duration_1.0.8";
  const auto in_common_time = after("BOS Bar TimeSig_4/4 Position_30" + note);
  EXPECT_THAT(in_common_time, Contains("Position_31"));
  EXPECT_THAT(in_common_time, Not(Contains("Position_30")));
  EXPECT_THAT(in_common_time, Not(Contains("Position_32")));
  EXPECT_THAT(after("BOS Bar TimeSig_6/8 Position_30" + note), IsSupersetOf({"Position_31", "Position_47"}));
  EXPECT_THAT(families_after("BOS Bar TimeSig_1/4 Position_7" + note), ElementsAre("EOS", "Bar", "Pitch"));
  EXPECT_THAT(after("BOS Bar TimeSig_4/4 Position_30" + note + " Bar TimeSig_4/4"), Contains("Position_0"));
}

TEST(RemiGrammar, TwoVoicesMayMeetOnANoteButNotThree) {
  const std::string note = " Pitch_60 Velocity_63 Duration_1.0.8";
  const std::string chord = "BOS Bar TimeSig_4/4 Position_0" + note + " Pitch_64 Velocity_63 Duration_1.0.8";
  EXPECT_THAT(after(chord), Contains("Pitch_60"));
  EXPECT_THAT(after(chord + note), Not(Contains("Pitch_60")));
  EXPECT_THAT(after(chord + note), Contains("Pitch_64"));
  EXPECT_THAT(after(chord + note + " Position_1"), Contains("Pitch_60"));
}

TEST(RemiGrammar, KnowsBarsAndWhetherThePieceMayEnd) {
  const Remi remi;
  const auto grammar = remi.grammar();
  std::vector<bool> complete;
  for (const TokenId token : ids(remi, "BOS Bar TimeSig_4/4 Position_0 Pitch_60 Velocity_63 Duration_1.0.8 Bar")) {
    EXPECT_TRUE(grammar->advance(token));
    complete.push_back(grammar->complete());
  }
  EXPECT_THAT(complete, ElementsAre(false, false, true, false, false, false, true, false));
  EXPECT_EQ(grammar->bars(), 2);
  const auto copy = grammar->clone();
  EXPECT_TRUE(copy->advance(remi.vocabulary().id("TimeSig_3/4")));
  EXPECT_TRUE(copy->complete());
  EXPECT_FALSE(grammar->complete());
}

TEST(RemiGrammar, GoesOnAfterAPromptThatBreaksTheRules) {
  EXPECT_THAT(families_after("Position_3 Pitch_60 Duration_1.0.8"), ElementsAre("Pitch"));
  EXPECT_THAT(families_after("BOS Bar TimeSig_4/4 PAD"), ElementsAre("EOS", "Bar", "Position"));
  EXPECT_THAT(families_after("Velocity_63 Duration_1.0.8"), ElementsAre("BOS"));
  EXPECT_THAT(families_after("Pitch_60 Velocity_63 Duration_1.0.8"), ElementsAre("EOS", "Bar", "Pitch", "Position"));
  const Remi remi;
  const auto grammar = remi.grammar();
  for (const TokenId token : {-1, 357, 1 << 30}) EXPECT_FALSE(grammar->advance(token));
  EXPECT_FALSE(grammar->advance(remi.vocabulary().id("EOS_None")));
}

/// What a piece says that encode would not write: bars after the last note that change nothing.
void strip_silent_end(const Remi& remi, std::vector<TokenId>& piece) {
  const TokenId bar = remi.vocabulary().id("Bar_None");
  const auto meter_before = [&](std::size_t end) {
    for (std::size_t i = end; i-- > 0;)
      if (remi.vocabulary().token(piece[i]).starts_with("TimeSig")) return piece[i];
    return TokenId{-1};
  };
  while (piece[piece.size() - 3] == bar && meter_before(piece.size() - 3) == piece[piece.size() - 2])
    piece.erase(piece.end() - 3, piece.end() - 1);
}

TEST(RemiGrammar, OfWhatIsDrawnByItNoTokenIsLost) {
  const Remi remi;
  Dice dice(5);
  for (int round = 0; round < 300; ++round) {
    auto piece = etude::testing::random_piece(dice, remi, 10 + dice.below(400));
    auto again = remi.encode(remi.decode(piece));
    strip_silent_end(remi, piece);
    ASSERT_EQ(etude::testing::words(remi, again), etude::testing::words(remi, piece));
  }
}

TEST(RemiGrammar, SomethingMayAlwaysComeNext) {
  const Remi remi;
  Dice dice(6);
  std::vector<bool> allowed;
  for (int round = 0; round < 200; ++round) {
    const auto grammar = remi.grammar();
    for (const TokenId token : etude::testing::random_tokens(dice, remi.vocabulary())) {
      grammar->next(allowed);
      ASSERT_NE(std::find(allowed.begin(), allowed.end(), true), allowed.end());
      ASSERT_EQ(grammar->advance(token), allowed[static_cast<std::size_t>(token)]);
    }
  }
}

}  // namespace
}  // namespace etude::data
