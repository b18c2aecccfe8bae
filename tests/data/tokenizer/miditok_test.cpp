#include <gtest/gtest.h>

#include "data/tokenizer/remi.h"
#include "tests/data/tokenizer/miditok_oracle.h"
#include "tests/data/tokenizer/random_music.h"

namespace etude::data {
namespace {

using namespace etude::testing;
using nlohmann::json;

class MidiTok : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!oracle_python()) GTEST_SKIP() << "no Python with MidiTok: run script/setup --test";
  }
  const Remi remi_;
};

TEST_F(MidiTok, HasTheSameVocabulary) {
  EXPECT_EQ(remi_.vocabulary().tokens(), ask_miditok("vocabulary").get<std::vector<std::string>>());
}

TEST_F(MidiTok, WritesTheSameTokensForUnusualScores) {
  Dice dice(1);
  std::vector<Score> scores;
  json questions = json::array();
  for (int i = 0; i < 400; ++i) questions.push_back(question(scores.emplace_back(random_score(dice))));
  const json answers = ask_miditok("scores", questions);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    SCOPED_TRACE(questions[i].dump());
    expect_as_miditok(remi_, scores[i], answers[i]);
    if (HasFatalFailure()) return;
  }
}

TEST_F(MidiTok, DecodesAnyTokensToTheSameMusic) {
  Dice dice(2);
  json sequences = json::array();
  for (int i = 0; i < 400; ++i) sequences.push_back(random_tokens(dice, remi_.vocabulary()));
  const json answers = ask_miditok("sequences", sequences);
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    SCOPED_TRACE(sequences[i].dump());
    ASSERT_EQ(described(remi_.decode(sequences[i].get<std::vector<TokenId>>())), answers[i].at("decoded"));
  }
}

TEST_F(MidiTok, FindsNoErrorInWhatTheGrammarAllows) {
  Dice dice(3);
  json sequences = json::array();
  for (int i = 0; i < 100; ++i) sequences.push_back(random_piece(dice, remi_, 300));
  const json answers = ask_miditok("sequences", sequences);
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    SCOPED_TRACE(sequences[i].dump());
    ASSERT_EQ(answers[i].at("errors"), 0);
    ASSERT_EQ(described(remi_.decode(sequences[i].get<std::vector<TokenId>>())), answers[i].at("decoded"));
  }
}

TEST_F(MidiTok, WritesTheSameTokensForSomeRealFiles) {
  const auto music = real_music();
  if (!music) GTEST_SKIP() << "no real music beside the project ($ETUDE_SHARED)";
  constexpr std::size_t kEvery = 100;
  expect_files_as_miditok(remi_, real_midi_files(*music, kEvery));
}

}  // namespace
}  // namespace etude::data
