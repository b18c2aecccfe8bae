#include "generation/prompt.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/config/error.h"
#include "tests/data/tokenizer/words.h"

namespace etude::generation {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Notes = std::vector<data::Note>;

/// 100 ticks a quarter; a second a quarter for two quarters, then half a second: 3 s is tick 400.
data::Score score() {
  data::Score made;
  made.ticks_per_quarter = 100;
  made.tempos = {{0, 60.0}, {200, 120.0}, {400, 30.0}};
  made.time_signatures = {{0, 4, 4}, {400, 3, 4}};
  made.key_signatures = {{0, 2, false}, {500, 0, true}};
  data::Track track;
  track.notes = {{0, 100, 60, 64}, {150, 500, 62, 64}, {300, 100, 64, 64}, {399, 50, 65, 64}, {400, 100, 67, 64}};
  track.pedals = {{0, 450}, {450, 10}};
  made.tracks = {track};
  return made;
}

TEST(FirstSeconds, FollowTheTempoChangesAndShortenWhatSoundsAtTheEnd) {
  const data::Score cut = first_seconds(score(), 3.0);
  EXPECT_EQ(cut.tracks[0].notes, (Notes{{0, 100, 60, 64}, {150, 250, 62, 64}, {300, 100, 64, 64}, {399, 1, 65, 64}}));
  EXPECT_EQ(cut.tracks[0].pedals, (std::vector<data::Pedal>{{0, 400}}));
  EXPECT_THAT(cut.tempos, ElementsAre(data::Tempo{0, 60.0}, data::Tempo{200, 120.0}));
  EXPECT_THAT(cut.time_signatures, ElementsAre(data::TimeSignature{0, 4, 4}));
  EXPECT_THAT(cut.key_signatures, ElementsAre(data::KeySignature{0, 2, false}));
}

TEST(FirstSeconds, OfOneTempoAreASimpleMultiple) {
  data::Score made = score();
  made.tempos.clear();  // 120 quarters a minute: 200 ticks a second
  EXPECT_EQ(first_seconds(made, 1.0).tracks[0].notes, (Notes{{0, 100, 60, 64}, {150, 50, 62, 64}}));
  EXPECT_EQ(data::end_of(first_seconds(made, 1e6)), 650);
}

class Prompt : public ::testing::Test {
 protected:
  std::string words(const data::Score& from, const PromptCut& cut) const {
    return testing::words(*tokenizer_, prompt_tokens(*tokenizer_, from, cut));
  }
  std::unique_ptr<data::Tokenizer> tokenizer_ = data::make_tokenizer("remi");
};

/// A quarter note at each of the first ten beats, 120 quarters a minute.
data::Score ten_quarters() {
  data::Score made;
  data::Track track;
  for (int i = 0; i < 10; ++i) track.notes.push_back({i * 480, 480, 60 + i, 63});
  made.tracks = {track};
  return made;
}

TEST_F(Prompt, IsTheWholePieceWithoutItsEnd) {
  const std::string whole = words(ten_quarters(), {});
  EXPECT_TRUE(whole.starts_with("BOS Bar TimeSig_4/4 Position_0 Pitch_60 Velocity_63 Duration_1.0.")) << whole;
  EXPECT_FALSE(whole.ends_with("EOS"));
  EXPECT_NE(whole.find("Pitch_69"), std::string::npos);
}

TEST_F(Prompt, CutInBarsHoldsSoManyWholeBars) {
  const std::string one = words(ten_quarters(), {.bars = 1});
  EXPECT_NE(one.find("Pitch_63"), std::string::npos);
  EXPECT_EQ(one.find("Pitch_64"), std::string::npos);
  EXPECT_FALSE(one.ends_with("EOS"));
  EXPECT_EQ(words(ten_quarters(), {.bars = 100}), words(ten_quarters(), {}));
}

TEST_F(Prompt, CutInSecondsHoldsWhatBeginsBefore) {
  const std::string cut = words(ten_quarters(), {.seconds = 1.25});
  EXPECT_NE(cut.find("Pitch_62 Velocity_63 Duration_0."), std::string::npos) << cut;  // half of it is left
  EXPECT_EQ(cut.find("Pitch_63"), std::string::npos);
  EXPECT_FALSE(cut.ends_with("EOS"));
}

TEST_F(Prompt, OfNoMusicIsTheBeginningOfAPiece) {
  EXPECT_TRUE(words(data::Score{}, {}).starts_with("BOS"));
  EXPECT_EQ(words(data::Score{}, {}).find("EOS"), std::string::npos);
}

TEST_F(Prompt, CannotBeCutInBothWays) { EXPECT_THROW(words(ten_quarters(), {.bars = 1, .seconds = 1}), UsageError); }

}  // namespace
}  // namespace etude::generation
