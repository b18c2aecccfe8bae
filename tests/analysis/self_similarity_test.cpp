#include "analysis/self_similarity.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/analysis/pieces.h"

namespace etude::analysis {
namespace {

using testing::piece_of;

/// Bars of two notes, the same with a third, none, and the first of the three.
data::Score four_bars() {
  return piece_of({{0, 480, 60, 64},
                   {960, 480, 64, 64},
                   {1920, 240, 60, 64},
                   {2880, 240, 64, 64},
                   {3360, 240, 67, 64},
                   {5760, 480, 60, 64}});
}

TEST(SelfSimilarity, OfBarsIsTheShareOfTheirNotesInCommon) {
  const SelfSimilarity similarity(four_bars());
  ASSERT_EQ(similarity.bars(), 4u);
  EXPECT_DOUBLE_EQ(similarity.at(0, 0), 1);
  EXPECT_DOUBLE_EQ(similarity.at(0, 1), 2.0 / 3);
  EXPECT_DOUBLE_EQ(similarity.at(1, 0), 2.0 / 3);
  EXPECT_DOUBLE_EQ(similarity.at(0, 3), 1.0 / 2);
  EXPECT_DOUBLE_EQ(similarity.at(1, 3), 1.0 / 3);
  EXPECT_DOUBLE_EQ(similarity.at(0, 2), 0);
  EXPECT_FALSE(similarity.sounds(2));
}

TEST(SelfSimilarity, IsSummedUpWithoutBarsOfSilence) {
  const SelfSimilarity similarity(four_bars());
  EXPECT_DOUBLE_EQ(similarity.mean(), 0.5);             // (2/3 + 1/2 + 1/3) / 3
  EXPECT_DOUBLE_EQ(similarity.recurrence(), 7.0 / 12);  // (2/3 + 1/2) / 2
  const auto by_distance = similarity.by_distance(4);
  EXPECT_DOUBLE_EQ(by_distance[0], 2.0 / 3);
  EXPECT_DOUBLE_EQ(by_distance[1], 1.0 / 3);
  EXPECT_DOUBLE_EQ(by_distance[2], 1.0 / 2);
  EXPECT_TRUE(std::isnan(by_distance[3]));
}

TEST(SelfSimilarity, FollowsTheTimeSignatures) {
  // A bar of 4/4, then bars of 3/4, each with a C on its first beat and a G on its second.
  data::Score score = piece_of({{0, 480, 60, 64},
                                {480, 480, 67, 64},
                                {1920, 480, 60, 64},
                                {2400, 480, 67, 64},
                                {3360, 480, 60, 64},
                                {3840, 480, 67, 64}});
  score.time_signatures = {{0, 4, 4}, {1920, 3, 4}};
  EXPECT_DOUBLE_EQ(SelfSimilarity(score).mean(), 1);
  score.time_signatures.pop_back();
  EXPECT_LT(SelfSimilarity(score).mean(), 1);
}

TEST(SelfSimilarity, IsUndefinedForFewerThanTwoBars) {
  EXPECT_TRUE(std::isnan(SelfSimilarity(piece_of({})).mean()));
  EXPECT_TRUE(std::isnan(SelfSimilarity(piece_of({{0, 480, 60, 64}})).recurrence()));
}

TEST(SelfSimilarity, LooksAtTheBeginOfAnEndlessPiece) {
  const data::Score score = piece_of({{0, 480, 60, 64}, {1920, 480, 60, 64}, {std::int64_t{1} << 45, 480, 60, 64}});
  EXPECT_DOUBLE_EQ(SelfSimilarity(score).mean(), 1);
}

}  // namespace
}  // namespace etude::analysis
